import { Buffer } from 'node:buffer';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { crypto as plain } from '../../../infra/aws/plain-crypto.ts';

const PLATFORMS = { own: plain.subtle as unknown as SubtleCrypto, platform: crypto.subtle };
type SubtleCrypto = typeof crypto.subtle;

/** What comes of it with the platform's and with ours: a value, or that it is refused. */
async function both(what: (subtle: SubtleCrypto) => Promise<unknown>): Promise<unknown[]> {
  return Promise.all(
    Object.values(PLATFORMS).map(async (subtle) => {
      try {
        const value = await what(subtle);
        return value instanceof ArrayBuffer ? Buffer.from(value).toString('hex') : value;
      } catch {
        return 'refused';
      }
    }),
  );
}

const bytes = fc.uint8Array({ maxLength: 200 }).map((array) => new Uint8Array(array));
const hash = fc.constantFrom('SHA-1', 'SHA-256', 'SHA-384', 'SHA-512', 'sha-256', 'MD5');

describe('the crypto of a bundle', () => {
  it('makes the digests of the platform', async () => {
    await fc.assert(
      fc.asyncProperty(hash, bytes, async (name, data) => {
        const [own, platform] = await both((subtle) => subtle.digest(name, data));
        expect(own).toBe(platform);
        const [ofBuffer] = await both((subtle) => subtle.digest({ name }, data.buffer as ArrayBuffer));
        expect(ofBuffer).toBe(own);
      }),
    );
  });

  it('makes and checks the HMACs of the platform, whatever the key', async () => {
    await fc.assert(
      fc.asyncProperty(hash, bytes, bytes, fc.boolean(), async (name, secret, data, isObject) => {
        const [own, platform] = await both(async (subtle) => {
          const algorithm = { name: 'HMAC', hash: isObject ? { name } : name };
          const key = await subtle.importKey('raw', secret, algorithm, false, ['sign', 'verify']);
          const signature = new Uint8Array(await subtle.sign('HMAC', key, data));
          const changed = signature.with(0, (signature[0] ?? 0) ^ 1);
          return JSON.stringify([
            Buffer.from(signature).toString('hex'),
            await subtle.verify('HMAC', key, signature, data),
            await subtle.verify({ name: 'hmac' }, key, new Uint8Array(changed), data),
            await subtle.verify('HMAC', key, signature.slice(1), data),
            await subtle.verify('HMAC', key, new Uint8Array(), data),
          ]);
        });
        expect(own).toBe(platform);
      }),
    );
  });

  it('keeps a key as it was when it was made, and does with it no more than it is for', async () => {
    const [own, platform] = await both(async (subtle) => {
      const secret = new Uint8Array([1, 2, 3]);
      const key = await subtle.importKey('raw', secret, { name: 'HMAC', hash: 'SHA-256' }, false, ['sign']);
      secret.fill(0);
      return subtle.sign('HMAC', key, secret);
    });
    expect(own).toBe(platform);
    const refused = await both(async (subtle) => {
      const hmac = { name: 'HMAC', hash: 'SHA-256' };
      const key = await subtle.importKey('raw', new Uint8Array([1]), hmac, false, ['sign']);
      return subtle.verify('HMAC', key, new Uint8Array(32), new Uint8Array());
    });
    expect(refused).toEqual(['refused', 'refused']);
    const unread = await both(async (subtle) => {
      const hmac = { name: 'HMAC', hash: 'SHA-256' };
      return subtle.exportKey(
        'raw',
        await subtle.importKey('raw', new Uint8Array([1]), hmac, false, ['sign']),
      );
    });
    expect(unread).toEqual(['refused', 'refused']);
  });

  it('leaves to the platform what it does not do itself', async () => {
    const data = new TextEncoder().encode('text');
    const [own] = await both(async (subtle) => {
      const pair = (await subtle.generateKey({ name: 'ECDSA', namedCurve: 'P-256' }, false, [
        'sign',
        'verify',
      ])) as CryptoKeyPair;
      const algorithm = { name: 'ECDSA', hash: 'SHA-256' };
      const signature = await subtle.sign(algorithm, pair.privateKey, data);
      return subtle.verify(algorithm, pair.publicKey, signature, data);
    });
    expect(own).toBe(true);
    const exported = await both(async (subtle) =>
      subtle.exportKey(
        'raw',
        await subtle.importKey('raw', data, { name: 'HMAC', hash: 'SHA-256' }, true, ['sign']),
      ),
    );
    expect(exported).toEqual(['74657874', '74657874']);
  });

  it('has random numbers', () => {
    const array = new Uint8Array(32);
    expect(plain.getRandomValues(array)).toBe(array);
    expect(array.some((byte) => byte !== 0)).toBe(true);
    expect(plain.randomUUID()).toMatch(/^[0-9a-f-]{36}$/);
  });
});

type CryptoKeyPair = Exclude<Awaited<ReturnType<SubtleCrypto['generateKey']>>, { type: string }>;
