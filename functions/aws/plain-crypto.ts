import {
  createHash,
  createHmac,
  randomFillSync,
  randomUUID,
  timingSafeEqual,
  type webcrypto,
} from 'node:crypto';

type Use = 'sign' | 'verify';
type Algorithm = string | { name: string; hash?: string | { name: string } };
type Bytes = ArrayBuffer | ArrayBufferView;

/** Names of hash functions in Web Crypto, and in Node. */
const HASHES: ReadonlyMap<string, string> = new Map([
  ['SHA-1', 'sha1'],
  ['SHA-256', 'sha256'],
  ['SHA-384', 'sha384'],
  ['SHA-512', 'sha512'],
]);

/** A key of an HMAC, which cannot be read. */
class HmacKey {
  readonly #bytes: Uint8Array;
  readonly #hash: string;
  readonly #uses: readonly Use[];

  constructor(bytes: Uint8Array, hash: string, uses: readonly Use[]) {
    this.#bytes = bytes;
    this.#hash = hash;
    this.#uses = uses;
  }

  hmac(use: Use, algorithm: Algorithm, data: Bytes): Uint8Array {
    if (!isHmac(algorithm) || !this.#uses.includes(use))
      throw new TypeError(`the key is not made to ${use} so`);
    return createHmac(this.#hash, this.#bytes).update(bytesOf(data)).digest();
  }
}

const own = {
  async importKey(format: string, data: Bytes, algorithm: Algorithm, extractable: boolean, uses: Use[]) {
    const hash = typeof algorithm === 'object' && isHmac(algorithm) ? hashOf(algorithm.hash) : undefined;
    const isOurs =
      format === 'raw' &&
      hash !== undefined &&
      !extractable &&
      data.byteLength > 0 &&
      uses.length > 0 &&
      uses.every((use) => use === 'sign' || use === 'verify');
    // What the platform refuses, it refuses.
    if (!isOurs)
      return platform().importKey(format as 'raw', data as ArrayBuffer, algorithm, extractable, uses);
    return new HmacKey(bytesOf(data).slice(), hash, uses);
  },

  async sign(algorithm: Algorithm, key: HmacKey | webcrypto.CryptoKey, data: Bytes): Promise<ArrayBuffer> {
    if (!(key instanceof HmacKey)) return platform().sign(algorithm, key, data as ArrayBuffer);
    return bufferOf(key.hmac('sign', algorithm, data));
  },

  async verify(
    algorithm: Algorithm,
    key: HmacKey | webcrypto.CryptoKey,
    signature: Bytes,
    data: Bytes,
  ): Promise<boolean> {
    if (!(key instanceof HmacKey))
      return platform().verify(algorithm, key, signature as ArrayBuffer, data as ArrayBuffer);
    const expected = key.hmac('verify', algorithm, data);
    return signature.byteLength === expected.byteLength && timingSafeEqual(bytesOf(signature), expected);
  },

  async digest(algorithm: Algorithm, data: Bytes): Promise<ArrayBuffer> {
    const hash = hashOf(algorithm);
    if (hash === undefined) return platform().digest(algorithm, data as ArrayBuffer);
    return bufferOf(createHash(hash).update(bytesOf(data)).digest());
  },
};

const subtle = new Proxy(own, {
  get: (target, name) =>
    name in target
      ? target[name as keyof typeof own]
      : platform()[name as keyof webcrypto.SubtleCrypto].bind(platform()),
}) as unknown as webcrypto.SubtleCrypto;

/**
 * `crypto` as far as signatures and digests of webhooks and of calls to AWS need it. A bundle puts it in the place of the platform's
 * (infra/aws/bundle.ts), which gives each of them to another thread and waits: a cold start makes some twenty. Everything else is left to the
 * platform. test/unit/functions/plain-crypto.test.ts runs over both.
 */
export const PlainCrypto = {
  subtle,
  getRandomValues: <T extends Uint8Array>(bytes: T): T => randomFillSync(bytes),
  randomUUID: (): string => randomUUID(),
};

function platform(): webcrypto.SubtleCrypto {
  return globalThis.crypto.subtle;
}

function isHmac(algorithm: Algorithm): boolean {
  return nameOf(algorithm).toUpperCase() === 'HMAC';
}

function hashOf(hash: Algorithm | undefined): string | undefined {
  return hash === undefined ? undefined : HASHES.get(nameOf(hash).toUpperCase());
}

function nameOf(algorithm: Algorithm): string {
  return typeof algorithm === 'string' ? algorithm : algorithm.name;
}

function bytesOf(data: Bytes): Uint8Array {
  return ArrayBuffer.isView(data)
    ? new Uint8Array(data.buffer, data.byteOffset, data.byteLength)
    : new Uint8Array(data);
}

function bufferOf(bytes: Uint8Array): ArrayBuffer {
  return new Uint8Array(bytes).buffer;
}
