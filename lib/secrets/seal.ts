/** Encrypts what must stand in the index and is nobody's business but ours. */
export interface Seal {
  /** @param place where the text will stand; it opens nowhere else */
  seal(text: string, place: string): Promise<string>;
  /** @throws SealError when it was sealed with another key or for another place, or was changed */
  open(sealed: string, place: string): Promise<string>;
}

/** A sealed text cannot be opened. The message holds no part of it. */
export class SealError extends Error {
  override readonly name = 'SealError';
  /** It may well open with another key. */
  readonly otherKey: boolean;

  constructor(message: string, otherKey = false) {
    super(message);
    this.otherKey = otherKey;
  }
}

/** So many characters a key must have at least: it may be a passphrase, and must not be guessed. */
export const MIN_KEY_LENGTH = 32;

const NONCE_BYTES = 12;
const encoder = new TextEncoder();

/**
 * Makes a seal of a key: AES-256-GCM, with the place as authenticated data, under a key derived by HKDF. A sealed text names the key it was
 * sealed with by a few hex digits, so that a changed key is told apart from a changed text.
 * @param key of the installation, any text of at least {@link MIN_KEY_LENGTH} characters
 * @throws Error for a shorter one
 */
export async function createSeal(key: string): Promise<Seal> {
  if (key.length < MIN_KEY_LENGTH)
    throw new Error(`the key of the installation must have at least ${MIN_KEY_LENGTH} characters`);
  const material = await crypto.subtle.importKey('raw', encoder.encode(key), 'HKDF', false, [
    'deriveKey',
    'deriveBits',
  ]);
  const derivation = (info: string) => ({
    name: 'HKDF',
    hash: 'SHA-256',
    salt: encoder.encode('slipway'),
    info: encoder.encode(info),
  });
  const name = hex(await crypto.subtle.deriveBits(derivation('name of the key'), material, 32));
  const cipher = await crypto.subtle.deriveKey(
    derivation('seal'),
    material,
    { name: 'AES-GCM', length: 256 },
    false,
    ['encrypt', 'decrypt'],
  );
  const algorithm = (iv: Uint8Array<ArrayBuffer>, place: string) => ({
    name: 'AES-GCM',
    iv,
    additionalData: encoder.encode(place),
  });

  return {
    async seal(text, place) {
      const nonce = crypto.getRandomValues(new Uint8Array(NONCE_BYTES));
      const sealed = await crypto.subtle.encrypt(algorithm(nonce, place), cipher, encoder.encode(text));
      return ['v1', name, toBase64(nonce), toBase64(new Uint8Array(sealed))].join('.');
    },
    async open(sealed, place) {
      const [version, by, nonce = '', content = ''] = sealed.split('.');
      if (version !== 'v1') throw new SealError('the sealed text is of an unknown version');
      if (by !== name) throw new SealError('it was sealed with another key of the installation', true);
      try {
        const text = await crypto.subtle.decrypt(
          algorithm(fromBase64(nonce), place),
          cipher,
          fromBase64(content),
        );
        return new TextDecoder().decode(text);
      } catch {
        throw new SealError('the sealed text was changed, or stands where it does not belong');
      }
    },
  };
}

function hex(bytes: ArrayBuffer): string {
  return [...new Uint8Array(bytes)].map((byte) => byte.toString(16).padStart(2, '0')).join('');
}

function toBase64(bytes: Uint8Array): string {
  return btoa(String.fromCharCode(...bytes));
}

function fromBase64(text: string): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(atob(text), (character) => character.charCodeAt(0));
}
