import * as v from 'valibot';
import { splitReference } from '../../core/image-reference.ts';
import { Text } from '../fields.ts';
import { jsonObject } from '../json-object.ts';
import { PayloadError, readPayload } from '../payload-error.ts';
import { isFromGoogle } from './google-identity.ts';
import { messageId, unwrapMessage } from './pubsub.ts';
import { pushOf, received } from './pushes.ts';
import type { RegistryReceived, RegistryType } from './registry-type.ts';

const Event = jsonObject({ action: v.string(), tag: Text });

/**
 * Google Artifact Registry (and Container Registry), by an authenticated push subscription to the Pub/Sub topic `gcr`.
 * https://cloud.google.com/artifact-registry/docs/configure-notifications
 */
export const gcr: RegistryType = {
  secretInPath: false,
  verify: ({ headers }, { identity, tokens }) => isFromGoogle(headers, identity, tokens),
  deliveryId: (_headers, payload) => messageId(payload),
  parse: (_headers, payload, host) => readGoogleEvent(unwrapMessage(payload), host),
};

/**
 * Reads the event that a message of Pub/Sub wraps.
 * @throws PayloadError
 */
export function readGoogleEvent(event: unknown, host: string): RegistryReceived {
  const { action, tag } = readPayload(Event, event);
  if (action !== 'INSERT' || !tag) return { kind: 'ignored', why: 'no tag was pushed' };
  const reference = splitReference(tag);
  if (!reference) throw new PayloadError('the payload names no image');
  // One topic tells of all hosts of its project.
  if (!reference.image.startsWith(`${host}/`)) return { kind: 'forbidden' };
  return received([pushOf(host, [reference.image.slice(host.length + 1)], reference.tag)]);
}
