import * as v from 'valibot';
import { Text } from '../fields.ts';
import { jsonObject } from '../json-object.ts';
import { readPayload } from '../payload-error.ts';
import { verifyToken } from '../signature.ts';
import { pushOf, received } from './pushes.ts';
import type { RegistryType } from './registry-type.ts';
import { sentToken } from './sent-token.ts';

const Payload = jsonObject({
  events: v.pipe(
    v.array(
      jsonObject({
        id: v.string(),
        action: v.string(),
        target: jsonObject({ repository: v.string(), tag: Text }),
      }),
    ),
    v.maxLength(10_000),
  ),
});

/**
 * CNCF Distribution, the registry in the image `registry`, by its notifications; the secret is a header of the endpoint.
 * https://distribution.github.io/distribution/about/notifications/
 */
export const distribution: RegistryType = {
  secretInPath: false,
  verify: ({ headers }, { secrets }) => verifyToken(sentToken(headers), secrets),
  deliveryId: (_headers, payload) => {
    const ids = readPayload(Payload, payload).events.map(({ id }) => id);
    return ids.length === 0 ? undefined : ids.join();
  },
  parse(_headers, payload, host) {
    const { events } = readPayload(Payload, payload);
    const pushes = events.filter(({ action }) => action === 'push');
    return received(pushes.map(({ target }) => pushOf(host, [target.repository], target.tag)));
  },
};
