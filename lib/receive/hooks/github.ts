import { gitea } from '../gitea.ts';
import { github as provider } from '../github.ts';
import { readPackageEvent } from '../registries/ghcr.ts';
import type { HookType } from './hook-type.ts';
import { readObject } from './read-object.ts';
import { signed } from './verdict.ts';

/** GitHub, and Gitea with its relatives, which Receivers of this type stand for too. */
export const github: HookType = {
  async verify(delivery, { secret }) {
    const [asGitHub, asGitea] = [
      await provider.verify(delivery, [secret.token]),
      await gitea.verify(delivery, [secret.token]),
    ];
    return signed(asGitHub || asGitea);
  },
  events: (headers) => [provider.event(headers) || gitea.event(headers)],
  isPing: (headers) => provider.event(headers) === 'ping',
  deliveryId: ({ headers }) => provider.deliveryId(headers) ?? gitea.deliveryId(headers),
  read: readObject,
  pushed: readPackageEvent,
};
