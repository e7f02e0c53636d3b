import { generic as registry } from '../registries/generic.ts';
import type { HookType } from './hook-type.ts';
import { readAnything } from './read-object.ts';
import { pathIsKnown } from './verdict.ts';

/** Any caller who knows the path. */
export const generic: HookType = {
  verify: pathIsKnown,
  deliveryId: () => undefined,
  read: readAnything,
  pushed: (payload, host) => registry.parse(new Headers(), payload, host),
};
