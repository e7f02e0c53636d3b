import { quay as registry } from '../registries/quay.ts';
import type { HookType } from './hook-type.ts';
import { readObject } from './read-object.ts';
import { pathIsKnown } from './verdict.ts';

/** Quay, which cannot sign. */
export const quay: HookType = {
  verify: pathIsKnown,
  deliveryId: () => undefined,
  read: readObject,
  pushed: (payload, host) => registry.parse(new Headers(), payload, host),
};
