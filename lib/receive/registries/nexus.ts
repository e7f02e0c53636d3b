import * as v from 'valibot';
import { Text } from '../fields.ts';
import { jsonObject } from '../json-object.ts';
import { readPayload } from '../payload-error.ts';
import { verifyHmac } from '../signature.ts';
import { pushOf, received } from './pushes.ts';
import type { RegistryType } from './registry-type.ts';

const Payload = jsonObject({
  repositoryName: v.string(),
  action: v.string(),
  component: v.nullish(jsonObject({ format: Text, name: v.string(), version: Text })),
});

/**
 * Nexus Repository, by its webhook for components of a repository. It signs with HMAC-SHA1 and knows nothing better.
 * https://help.sonatype.com/en/working-with-hmac-payloads.html
 */
export const nexus: RegistryType = {
  secretInPath: false,
  verify: ({ headers, body }, { secrets }) =>
    verifyHmac(body, headers.get('x-nexus-webhook-signature'), secrets, 'SHA-1'),
  deliveryId: (headers) => headers.get('x-nexus-webhook-delivery') ?? undefined,
  parse(_headers, payload, host) {
    const { repositoryName, action, component } = readPayload(Payload, payload);
    if (component?.format !== 'docker') return { kind: 'ignored', why: 'it tells of no image' };
    if (action !== 'CREATED' && action !== 'UPDATED') return { kind: 'ignored', why: 'nothing was pushed' };
    // Reached by a port or host of its own, or by the path of its repository.
    const paths = [component.name, `${repositoryName}/${component.name}`];
    return received([pushOf(host, paths, component.version)]);
  },
};
