import { nexus as registry } from '../registries/nexus.ts';
import { verifyHmac } from '../signature.ts';
import type { HookType } from './hook-type.ts';
import { readObject } from './read-object.ts';
import { signed } from './verdict.ts';

/** Nexus Repository, which signs with HMAC-SHA1 and knows nothing better. */
export const nexus: HookType = {
  verify: async ({ headers, body }, { secret }) =>
    signed(await verifyHmac(body, headers.get('x-nexus-webhook-signature'), [secret.token], 'SHA-1')),
  deliveryId: ({ headers }) => headers.get('x-nexus-webhook-delivery') ?? undefined,
  read: readObject,
  pushed: (payload, host) => registry.parse(new Headers(), payload, host),
};
