import { CdEvent, withoutVersion } from '../cdevent.ts';
import { readPayload } from '../payload-error.ts';
import { generic as registry } from '../registries/generic.ts';
import type { HookType } from './hook-type.ts';
import { readObject } from './read-object.ts';
import { pathIsKnown } from './verdict.ts';

/** CDEvents, which are not signed. `spec.events` may name their types with or without a version. https://cdevents.dev/docs/ */
export const cdevents: HookType = {
  verify: pathIsKnown,
  events(_headers, payload) {
    const { type } = readPayload(CdEvent, payload).context;
    return [type, withoutVersion(type)];
  },
  deliveryId: (_delivery, payload) => readPayload(CdEvent, payload).context.id,
  read(delivery) {
    const payload = readObject(delivery);
    readPayload(CdEvent, payload);
    return payload;
  },
  pushed: (payload, host) => registry.parse(new Headers(), payload, host),
};
