import { dockerhub as registry } from '../registries/dockerhub.ts';
import type { HookType } from './hook-type.ts';
import { readObject } from './read-object.ts';
import { pathIsKnown } from './verdict.ts';

/** Docker Hub, which cannot sign. */
export const dockerhub: HookType = {
  verify: pathIsKnown,
  deliveryId: () => undefined,
  read: readObject,
  pushed: (payload, host) => registry.parse(new Headers(), payload, host),
};
