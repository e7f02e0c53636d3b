import { decodePayload } from '../decode.ts';
import { PayloadError } from '../payload-error.ts';
import type { Delivery } from '../receiver.ts';

/**
 * A body that must be a JSON object.
 * @throws PayloadError
 */
export function readObject({ headers, body }: Delivery): Record<string, unknown> {
  return asObject(decodePayload(body, headers.get('content-type')));
}

/**
 * A body that may be anything: without JSON, or empty, filters see an empty object.
 * @throws PayloadError for broken JSON
 */
export function readAnything({ headers, body }: Delivery): Record<string, unknown> {
  const type = headers.get('content-type')?.split(';')[0]?.trim().toLowerCase() ?? '';
  const isJson = type === 'application/json' || type.endsWith('+json');
  return isJson && body.byteLength > 0 ? asObject(decodePayload(body, type)) : {};
}

function asObject(payload: unknown): Record<string, unknown> {
  if (payload === null || typeof payload !== 'object' || Array.isArray(payload))
    throw new PayloadError('the payload is no JSON object');
  return payload as Record<string, unknown>;
}
