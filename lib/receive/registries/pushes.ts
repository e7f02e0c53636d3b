import { isTag } from '../../core/image-name.ts';
import { imageAt } from '../../core/image-reference.ts';
import { PayloadError } from '../payload-error.ts';
import type { ImagePush, RegistryReceived } from './registry-type.ts';

/** A delivery of this many events is cut: what is left out is found at the next interval. */
const MAX_PUSHES = 1_000;

/**
 * What was pushed, without repeats.
 * @param pushes of which those without tag change nothing that is followed
 */
export function received(pushes: readonly (ImagePush | undefined)[]): RegistryReceived {
  const unique = new Map<string, ImagePush>();
  for (const push of pushes) if (push) unique.set(`${push.images[0]}:${push.tag}`, push);
  if (unique.size === 0) return { kind: 'ignored', why: 'no tag was pushed' };
  return { kind: 'push', pushes: [...unique.values()].slice(0, MAX_PUSHES) };
}

/**
 * A push by the path of its image and its tag.
 * @param paths every path that the image may have at the host
 * @returns undefined without a tag: it was pushed by its digest alone
 * @throws PayloadError when no path or the tag can be one
 */
export function pushOf(
  host: string,
  paths: readonly string[],
  tag: string | null | undefined,
): ImagePush | undefined {
  if (!tag || tag.startsWith('sha256:')) return undefined;
  if (!isTag(tag)) throw new PayloadError('the payload names a tag that is none');
  const images = [...new Set(paths.flatMap((path) => imageAt(host, path) ?? []))];
  if (images.length === 0) throw new PayloadError('the payload names no image');
  return { images, tag };
}
