import * as v from 'valibot';
import { asciiLowerCase } from '../../core/ascii.ts';
import { splitReference } from '../../core/image-reference.ts';
import { Text } from '../fields.ts';
import { github } from '../github.ts';
import { jsonObject } from '../json-object.ts';
import { readPayload } from '../payload-error.ts';
import { pushOf, received } from './pushes.ts';
import type { RegistryReceived, RegistryType } from './registry-type.ts';

const Package = jsonObject({
  name: v.string(),
  namespace: Text,
  owner: v.nullish(jsonObject({ login: v.string() })),
  package_version: v.nullish(
    jsonObject({
      package_url: Text,
      container_metadata: v.nullish(jsonObject({ tag: v.nullish(jsonObject({ name: Text })) })),
    }),
  ),
});

const Payload = jsonObject({
  action: v.string(),
  package: v.optional(Package),
  registry_package: v.optional(Package),
});

/**
 * GitHub's container registry, by the events `package` and `registry_package` of an organisation or a repository, signed as all webhooks
 * of GitHub. https://docs.github.com/en/webhooks/webhook-events-and-payloads#registry_package
 */
export const ghcr: RegistryType = {
  secretInPath: false,
  verify: (delivery, { secrets }) => github.verify(delivery, secrets),
  deliveryId: (headers) => github.deliveryId(headers),
  parse(headers, payload, host) {
    const event = github.event(headers);
    if (event === 'ping') return { kind: 'ping' };
    if (event !== 'package' && event !== 'registry_package')
      return { kind: 'ignored', why: 'it tells of no package' };
    return readPackageEvent(payload, host);
  },
};

/**
 * Reads an event `package` or `registry_package`.
 * @throws PayloadError
 */
export function readPackageEvent(payload: unknown, host: string): RegistryReceived {
  const { action, ...packages } = readPayload(Payload, payload);
  if (action !== 'published' && action !== 'updated') return { kind: 'ignored', why: 'nothing was pushed' };
  const {
    name,
    namespace,
    owner,
    package_version: version,
  } = packages.registry_package ?? readPayload(Package, packages.package);
  const tag = version?.container_metadata?.tag?.name;
  // A package of another kind, or an image without tag.
  if (!tag) return { kind: 'ignored', why: 'no tag was pushed' };
  const named = splitReference(asciiLowerCase(version?.package_url ?? ''))?.image;
  if (named !== undefined) {
    if (!named.startsWith(`${host}/`)) return { kind: 'forbidden' };
    return received([pushOf(host, [named.slice(host.length + 1)], tag)]);
  }
  // The namespace is the owner; in old payloads it is the repository, or has the package's name at its end.
  const place = asciiLowerCase(owner?.login ?? namespace ?? '');
  return received([pushOf(host, [`${place}/${asciiLowerCase(name)}`], tag)]);
}
