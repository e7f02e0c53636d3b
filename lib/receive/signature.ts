const encoder = new TextEncoder();

/** Hash functions of HMACs and the hex digits of their values. SHA-1 is for senders that have nothing else. */
const HEX_DIGITS = { 'SHA-1': 40, 'SHA-256': 64, 'SHA-512': 128 } as const;
type Hash = keyof typeof HEX_DIGITS;

/**
 * Checks a hex HMAC in constant time (by the platform's own `verify`), with any of several secrets so that they can be
 * rotated. Every secret is tried, so that the time taken does not tell which one fits.
 * @param hex the hex digits, in either case; undefined or anything else is false
 */
export async function verifyHmac(
  body: Uint8Array,
  hex: string | null | undefined,
  secrets: readonly string[],
  hash: Hash = 'SHA-256',
): Promise<boolean> {
  if (!hex || hex.length !== HEX_DIGITS[hash] || !/^[0-9a-f]+$/i.test(hex)) return false;
  const signature = fromHex(hex);
  let valid = false;
  for (const secret of usable(secrets)) {
    const key = await hmacKey(encoder.encode(secret), ['verify'], hash);
    valid = (await crypto.subtle.verify('HMAC', key, signature, copy(body))) || valid;
  }
  return valid;
}

/**
 * As {@link verifyHmac} for headers of the form `sha256=<hex>`. SHA-1 (`sha1=`) is refused.
 * @param header the header's value
 */
export async function verifyPrefixedHmac(
  body: Uint8Array,
  header: string | null,
  secrets: readonly string[],
): Promise<boolean> {
  return verifyHmac(
    body,
    header?.startsWith('sha256=') ? header.slice('sha256='.length) : undefined,
    secrets,
  );
}

/**
 * Compares a token with several secrets in constant time, whatever their lengths: both sides are reduced to an HMAC under a key
 * made for this one comparison.
 */
export async function verifyToken(token: string | null, secrets: readonly string[]): Promise<boolean> {
  if (!token) return false;
  const key = await hmacKey(crypto.getRandomValues(new Uint8Array(32)), ['sign', 'verify']);
  const given = await crypto.subtle.sign('HMAC', key, encoder.encode(token));
  let valid = false;
  for (const secret of usable(secrets))
    valid = (await crypto.subtle.verify('HMAC', key, given, encoder.encode(secret))) || valid;
  return valid;
}

/** An empty secret would let anybody sign. */
export function usable(secrets: readonly string[]): string[] {
  return secrets.filter((secret) => secret !== '');
}

function hmacKey(secret: Uint8Array<ArrayBuffer>, uses: ('sign' | 'verify')[], hash: Hash = 'SHA-256') {
  return crypto.subtle.importKey('raw', secret, { name: 'HMAC', hash }, false, uses);
}

function fromHex(hex: string): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(hex.length / 2);
  for (let index = 0; index < bytes.length; index += 1)
    bytes[index] = Number.parseInt(hex.slice(index * 2, index * 2 + 2), 16);
  return bytes;
}

function copy(bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  return bytes.buffer instanceof ArrayBuffer ? (bytes as Uint8Array<ArrayBuffer>) : new Uint8Array(bytes);
}
