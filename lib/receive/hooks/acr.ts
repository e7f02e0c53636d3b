import { acr as registry } from '../registries/acr.ts';
import type { HookType } from './hook-type.ts';
import { readObject } from './read-object.ts';
import { pathIsKnown } from './verdict.ts';

/** Azure Container Registry, which cannot sign. */
export const acr: HookType = {
  verify: pathIsKnown,
  deliveryId: (_delivery, payload) => {
    const { id } = payload as { id?: unknown };
    return typeof id === 'string' && id !== '' ? id : undefined;
  },
  read: readObject,
  pushed: (payload, host) => registry.parse(new Headers(), payload, host),
};
