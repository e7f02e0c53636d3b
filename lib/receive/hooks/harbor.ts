import { harbor as registry } from '../registries/harbor.ts';
import { verifyToken } from '../signature.ts';
import type { HookType } from './hook-type.ts';
import { readObject } from './read-object.ts';
import { signed } from './verdict.ts';

/** Harbor, whose "Auth Header" is the token itself. */
export const harbor: HookType = {
  verify: async ({ headers }, { secret }) =>
    signed(await verifyToken(headers.get('authorization'), [secret.token])),
  deliveryId: ({ headers }) => headers.get('ce-id') ?? undefined,
  read: readObject,
  pushed: (payload, host) => registry.parse(new Headers(), payload, host),
};
