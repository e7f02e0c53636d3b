import * as v from 'valibot';
import { Text } from '../fields.ts';
import { jsonObject } from '../json-object.ts';
import { PayloadError, readPayload } from '../payload-error.ts';
import { verifyToken } from '../signature.ts';
import { pushOf, received } from './pushes.ts';
import type { RegistryType } from './registry-type.ts';
import { sentToken } from './sent-token.ts';

const Payload = jsonObject({
  id: Text,
  action: v.string(),
  target: v.nullish(jsonObject({ repository: v.string(), tag: Text })),
});

/**
 * Azure Container Registry. It cannot sign, but sends headers of one's own.
 * https://learn.microsoft.com/azure/container-registry/container-registry-webhook-reference
 */
export const acr: RegistryType = {
  secretInPath: true,
  verify: ({ headers }, { secrets }) => verifyToken(sentToken(headers), secrets),
  deliveryId: (_headers, payload) => readPayload(Payload, payload).id ?? undefined,
  parse(_headers, payload, host) {
    const { action, target } = readPayload(Payload, payload);
    if (action === 'ping') return { kind: 'ping' };
    if (action !== 'push') return { kind: 'ignored', why: 'nothing was pushed' };
    if (!target) throw new PayloadError('the payload is not as expected at target');
    return received([pushOf(host, [target.repository], target.tag)]);
  },
};
