/**
 * AWS's signatures, written down from their specification and independent of what Slipway signs with, so that one can check the other.
 * https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html
 */
import { createHash, createHmac } from 'node:crypto';

/** A request, as far as it is signed. */
export interface Signed {
  method: string;
  /** As it is sent. */
  path: string;
  /** All parameters but the signature. */
  query: readonly (readonly [name: string, value: string])[];
  /** The signed headers, by their names in lower case. */
  headers: Readonly<Record<string, string>>;
  /** SHA-256 of the body in hex, or `UNSIGNED-PAYLOAD`. */
  payloadHash: string;
  /** Such as `20150830T123600Z`. */
  date: string;
  region: string;
  service: string;
  secretKey: string;
}

/** The signature in hex. */
export function signatureOf(request: Signed): string {
  const { date, region, service, headers } = request;
  const names = Object.keys(headers).sort();
  const query = request.query
    .map(([name, value]) => `${escaped(name)}=${escaped(value)}`)
    .sort()
    .join('&');
  const canonical = [
    request.method,
    request.path,
    query,
    ...names.map((name) => `${name}:${headers[name]?.trim()}`),
    '',
    names.join(';'),
    request.payloadHash,
  ].join('\n');
  const day = date.slice(0, 8);
  const scope = `${day}/${region}/${service}/aws4_request`;
  const text = ['AWS4-HMAC-SHA256', date, scope, sha256(canonical)].join('\n');
  const key = [day, region, service, 'aws4_request'].reduce<Buffer>(
    (before, part) => createHmac('sha256', before).update(part).digest(),
    Buffer.from(`AWS4${request.secretKey}`),
  );
  return createHmac('sha256', key).update(text).digest('hex');
}

/** SHA-256 in hex. */
export function sha256(data: string | Uint8Array): string {
  return createHash('sha256').update(data).digest('hex');
}

function escaped(text: string): string {
  return encodeURIComponent(text).replace(
    /[!'()*]/g,
    (char) => `%${char.charCodeAt(0).toString(16).toUpperCase()}`,
  );
}
