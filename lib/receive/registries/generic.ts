import * as v from 'valibot';
import { splitReference } from '../../core/image-reference.ts';
import { CdEvent, isArtifactEvent } from '../cdevent.ts';
import { jsonObject } from '../json-object.ts';
import { PayloadError, readPayload } from '../payload-error.ts';
import { verifyPrefixedHmac, verifyToken } from '../signature.ts';
import { referenceOfPackageUrl } from './package-url.ts';
import { pushOf, received } from './pushes.ts';
import type { RegistryType } from './registry-type.ts';
import { sentToken } from './sent-token.ts';

const Images = v.union([
  v.pipe(
    jsonObject({ image: v.string() }),
    v.transform(({ image }) => [image]),
  ),
  v.pipe(
    jsonObject({ images: v.pipe(v.array(v.string()), v.minLength(1), v.maxLength(1_000)) }),
    v.transform(({ images }) => images),
  ),
]);

/**
 * Anything else, such as the last step of a build: `{"image": "host/path:tag"}` or `{"images": […]}`, or a CDEvent of an artifact that was
 * packaged or published. Signed by `X-Signature: sha256=…`, or with the secret as a bearer token. https://cdevents.dev/docs/
 */
export const generic: RegistryType = {
  secretInPath: false,
  verify: ({ headers, body }, { secrets }) => {
    const signature = headers.get('x-signature');
    return signature === null
      ? verifyToken(sentToken(headers), secrets)
      : verifyPrefixedHmac(body, signature, secrets);
  },
  deliveryId: (headers) => headers.get('ce-id') ?? headers.get('x-request-id') ?? undefined,
  parse(_headers, payload, host) {
    const references = isCdEvent(payload) ? artifactsOf(payload) : readPayload(Images, payload);
    if (references.length === 0) return { kind: 'ignored', why: 'no image was published' };
    const named = references.map((reference) => {
      const split = splitReference(reference);
      if (!split) throw new PayloadError('the payload names no image with a tag');
      return split;
    });
    const own = named.filter(({ image }) => image.startsWith(`${host}/`));
    if (own.length === 0) return { kind: 'forbidden' };
    return received(own.map(({ image, tag }) => pushOf(host, [image.slice(host.length + 1)], tag)));
  },
};

function isCdEvent(payload: unknown): boolean {
  return payload !== null && typeof payload === 'object' && Object.hasOwn(payload, 'context');
}

function artifactsOf(payload: unknown): string[] {
  const { context, subject } = readPayload(CdEvent, payload);
  if (!isArtifactEvent(context.type)) return [];
  return [referenceOfPackageUrl(subject.id) ?? []].flat();
}
