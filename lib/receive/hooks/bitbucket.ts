import { bitbucket as provider } from '../bitbucket.ts';
import type { HookType } from './hook-type.ts';
import { readObject } from './read-object.ts';
import { signed } from './verdict.ts';

/** Bitbucket Server and Cloud. */
export const bitbucket: HookType = {
  verify: async (delivery, { secret }) => signed(await provider.verify(delivery, [secret.token])),
  events: (headers) => [provider.event(headers)],
  isPing: (headers) => provider.event(headers) === 'diagnostics:ping',
  deliveryId: ({ headers }) => provider.deliveryId(headers),
  read: readObject,
};
