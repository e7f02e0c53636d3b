import { mapOf, type TemplateFunction, textOf } from './arguments.ts';
import { TemplateError } from './template-error.ts';
import { GoMap, type Value } from './values.ts';

const BASE32 = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567';
/** The largest prime below 2^16. https://www.rfc-editor.org/rfc/rfc1950#section-9 */
const ADLER_MODULUS = 65_521;

/** Sprig's functions on encodings and URLs. https://masterminds.github.io/sprig/url.html */
export const encodingFunctions: Readonly<Record<string, TemplateFunction>> = {
  b32enc: (text) => encodeBase32(Buffer.from(textOf(text))),
  b32dec: (text) => decodeBase32(textOf(text)),
  adler32sum: (text) => {
    let [low, high] = [1, 0];
    for (const byte of Buffer.from(textOf(text))) {
      low = (low + byte) % ADLER_MODULUS;
      high = (high + low) % ADLER_MODULUS;
    }
    return String(high * 2 ** 16 + low);
  },
  urlParse: (text) => {
    const found = URL_PARTS.exec(textOf(text));
    const part = (name: string) => found?.groups?.[name] ?? '';
    const hostname = part('host').replace(/:\d*$/, '');
    return new GoMap(
      Object.entries({
        scheme: part('scheme').toLowerCase(),
        userinfo: part('user'),
        host: part('host'),
        hostname: hostname.replace(/^\[(.*)\]$/, '$1'),
        path: decoded(part('path')),
        query: part('query'),
        fragment: decoded(part('fragment')),
        opaque: part('opaque'),
      }),
    );
  },
  urlJoin: (map) => {
    const part = (name: string): string => textOf(mapOf(map).get(name) ?? '');
    const [scheme, user, host, path] = [part('scheme'), part('userinfo'), part('host'), part('path')];
    const authority = host === '' && user === '' ? '' : `//${user === '' ? '' : `${user}@`}${host}`;
    const place =
      part('opaque') || `${authority}${authority !== '' && /^[^/]/.test(path) ? '/' : ''}${encodeURI(path)}`;
    return [
      scheme === '' ? '' : `${scheme}:`,
      place,
      part('query') === '' ? '' : `?${part('query')}`,
      part('fragment') === '' ? '' : `#${encodeURI(part('fragment'))}`,
    ].join('');
  },
};

const URL_PARTS =
  /^(?:(?<scheme>[a-z][a-z0-9+.-]*):)?(?:\/\/(?:(?<user>[^@/?#]*)@)?(?<host>[^/?#]*)(?<path>[^?#]*)|(?<path>\/[^?#]*)|(?<opaque>[^?#]*))(?:\?(?<query>[^#]*))?(?:#(?<fragment>.*))?$/is;

function decoded(text: string): Value {
  try {
    return decodeURIComponent(text);
  } catch {
    throw new TemplateError('urlParse got a text that is no URL');
  }
}

function encodeBase32(bytes: Uint8Array): string {
  let bits = '';
  for (const byte of bytes) bits += byte.toString(2).padStart(8, '0');
  const letters = (bits.match(/.{1,5}/g) ?? []).map(
    (five) => BASE32[Number.parseInt(five.padEnd(5, '0'), 2)],
  );
  const text = letters.join('');
  return text.padEnd(Math.ceil(text.length / 8) * 8, '=');
}

function decodeBase32(text: string): string {
  const digits = [...text.replace(/=+$/, '')].map((letter) => BASE32.indexOf(letter));
  if (digits.includes(-1)) throw new TemplateError('b32dec got a text that is no base32');
  const bits = digits.map((digit) => digit.toString(2).padStart(5, '0')).join('');
  const bytes = (bits.match(/.{8}/g) ?? []).map((eight) => Number.parseInt(eight, 2));
  return Buffer.from(bytes).toString('utf8');
}
