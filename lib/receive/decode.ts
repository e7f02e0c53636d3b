import { parseJson } from './json.ts';
import { PayloadError } from './payload-error.ts';

/**
 * The payload of a verified body: JSON, or a form whose field `payload` holds JSON.
 * @param contentType the header's value; without one the body is taken as JSON
 * @throws PayloadError for other types, for bytes that are no UTF-8, and for what is no strict JSON
 */
export function decodePayload(body: Uint8Array, contentType: string | null): unknown {
  const type = (contentType ?? 'application/json').split(';')[0]?.trim().toLowerCase() ?? '';
  const text = decodeText(body);
  if (type === 'application/x-www-form-urlencoded') {
    const payload = formPayload(text);
    if (payload === undefined) throw new PayloadError('the form must hold exactly one field named payload');
    return parseJson(payload);
  }
  if (type === 'application/json' || type.endsWith('+json')) return parseJson(text);
  throw new PayloadError('the content type must be application/json or application/x-www-form-urlencoded');
}

/** The field `payload` of a form; undefined when it is missing or there more than once. */
export function formPayload(form: string): string | undefined {
  const values = new URLSearchParams(form).getAll('payload');
  return values.length === 1 ? values[0] : undefined;
}

function decodeText(body: Uint8Array): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(body);
  } catch {
    throw new PayloadError('the payload is no UTF-8 text');
  }
}
