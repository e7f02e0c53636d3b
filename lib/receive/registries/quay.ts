import * as v from 'valibot';
import { jsonObject } from '../json-object.ts';
import { readPayload } from '../payload-error.ts';
import { pushOf, received } from './pushes.ts';
import type { RegistryType } from './registry-type.ts';

const Payload = jsonObject({ repository: v.string(), updated_tags: v.nullish(v.array(v.string())) });

/** Quay's notification of a repository push; it cannot sign. https://docs.quay.io/guides/notifications.html */
export const quay: RegistryType = {
  secretInPath: true,
  deliveryId: () => undefined,
  parse(_headers, payload, host) {
    const { repository, updated_tags: tags } = readPayload(Payload, payload);
    return received((tags ?? []).map((tag) => pushOf(host, [repository], tag)));
  },
};
