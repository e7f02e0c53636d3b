import * as v from 'valibot';
import { Text } from '../fields.ts';
import { parseJson } from '../json.ts';
import { jsonObject } from '../json-object.ts';
import { PayloadError, readPayload } from '../payload-error.ts';

const Envelope = jsonObject({ message: jsonObject({ data: v.string(), messageId: Text }) });

/** The id of a Pub/Sub message, the same when it is pushed again. */
export function messageId(payload: unknown): string | undefined {
  return readPayload(Envelope, payload).message.messageId ?? undefined;
}

/**
 * The JSON that a push of Pub/Sub wraps.
 * @throws PayloadError
 * @see https://cloud.google.com/pubsub/docs/push#receive_push
 */
export function unwrapMessage(payload: unknown): unknown {
  const { data } = readPayload(Envelope, payload).message;
  let text: string;
  try {
    const bytes = Uint8Array.from(atob(data), (character) => character.charCodeAt(0));
    text = new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    throw new PayloadError('the payload is not as expected at message.data');
  }
  return parseJson(text);
}
