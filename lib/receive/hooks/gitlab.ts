import { gitlab as provider } from '../gitlab.ts';
import type { HookType } from './hook-type.ts';
import { readObject } from './read-object.ts';
import { signed } from './verdict.ts';

/** GitLab. */
export const gitlab: HookType = {
  verify: async (delivery, { secret }) => signed(await provider.verify(delivery, [secret.token])),
  events: (headers) => [provider.event(headers)],
  deliveryId: ({ headers }) => provider.deliveryId(headers),
  read: readObject,
};
