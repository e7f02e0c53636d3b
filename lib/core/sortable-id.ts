const ALPHABET = '0123456789abcdefghjkmnpqrstvwxyz';

/**
 * An id that sorts by time and cannot be guessed: ten characters of time and sixteen of randomness, in lower case so that it
 * may stand in the name of a Kubernetes object. https://github.com/ulid/spec
 * @param now epoch in ms
 * @param random ten random bytes
 */
export function sortableId(now: number, random: Uint8Array): string {
  let time = '';
  for (let rest = now, i = 0; i < 10; i++, rest = Math.floor(rest / 32))
    time = (ALPHABET[rest % 32] as string) + time;
  let bits = 0n;
  for (const byte of random) bits = (bits << 8n) | BigInt(byte);
  let tail = '';
  for (let i = 0; i < 16; i++, bits >>= 5n) tail = (ALPHABET[Number(bits & 31n)] as string) + tail;
  return time + tail;
}
