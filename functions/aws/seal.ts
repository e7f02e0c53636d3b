import { createSeal, type Seal, SealError } from '../../lib/secrets/seal.ts';
import type { OpenFleet } from '../open-fleet.ts';

/** A key that is older than this is read anew before something is sealed with it, in ms. */
const KEY_MS = 5 * 60_000;

/** So long after the key was read it is not read again for a text that it does not open, in ms. */
const PAUSE_MS = 10_000;

/**
 * The seal of an installation on AWS. Functions share no disk on which a key could be made, so the fleet file must name one; it is read when
 * the first Receiver needs it. Functions live for hours: a key that was changed meanwhile is found when something is to be sealed, or does not
 * open, and the one before it still opens what it has sealed.
 * @param now epoch in ms
 */
export function lazySeal({ fleet, secret }: OpenFleet, now: () => number = Date.now): Seal {
  let current: { key: string; seal: Seal; readAt: number } | undefined;
  let before: Seal | undefined;
  let reading: Promise<Seal> | undefined;

  async function read(): Promise<Seal> {
    const { key: reference } = fleet.storage;
    if (reference === undefined)
      throw new Error(
        'storage.key is not set in the fleet file; on AWS it must name the secret with the key of the installation, such as ssm:/slipway/key',
      );
    const key = await secret(reference);
    const isSame = current?.key === key;
    if (!isSame) before = current?.seal;
    current = { key, seal: isSame && current ? current.seal : await createSeal(key), readAt: now() };
    return current.seal;
  }

  /** The key, read no longer ago than this. */
  function sealOf(maxAge: number): Promise<Seal> {
    if (current && now() - current.readAt < maxAge) return Promise.resolve(current.seal);
    reading ??= read().finally(() => {
      reading = undefined;
    });
    return reading;
  }

  return {
    seal: async (text, place) => (await sealOf(KEY_MS)).seal(text, place),
    async open(sealed, place) {
      const known = await sealOf(Number.POSITIVE_INFINITY);
      let fault: unknown;
      // Each is tried once; what was the key when this began may be the one before by the end.
      for (const next of [async () => known, async () => before, () => sealOf(PAUSE_MS)]) {
        try {
          const seal = await next();
          if (seal) return await seal.open(sealed, place);
        } catch (error) {
          if (!(error instanceof SealError && error.otherKey)) throw error;
          fault = error;
        }
      }
      throw fault;
    },
  };
}
