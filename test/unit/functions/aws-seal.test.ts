import { beforeEach, describe, expect, it } from 'vitest';
import { lazySeal } from '../../../functions/aws/seal.ts';
import { loadFleet } from '../../../lib/fleet/load-fleet.ts';
import { createSeal, SealError } from '../../../lib/secrets/seal.ts';

const [OLD, NEW] = ['an old key of 32 characters, or of more', 'a new key of 32 characters, or a few more'];
const PLACE = 'prod/apps/hub';
const MINUTE = 60_000;

let key: string;
let reads: number;
let now: number;
let fails: boolean;
beforeEach(() => {
  [key, reads, now, fails] = [OLD, 0, 0, false];
});

/** A function that lives. */
function living(storage = 'storage: {key: "aws-sm:slipway/key"}\n') {
  const fleet = loadFleet(storage, { path: '/etc/slipway/slipway.yaml' });
  const secret = async () => {
    reads += 1;
    if (fails) throw new Error('Secrets Manager does not answer');
    return key;
  };
  return lazySeal({ fleet, secret }, () => now);
}

describe('the key of an installation on AWS', () => {
  it('is read when it is first needed, once for all who need it, and kept for what it opens', async () => {
    const seal = living();
    expect(reads).toBe(0);
    const sealed = await (await createSeal(OLD)).seal('token', PLACE);
    now = 1;
    expect(await Promise.all([seal.open(sealed, PLACE), seal.open(sealed, PLACE)])).toEqual([
      'token',
      'token',
    ]);
    now = 60 * MINUTE;
    expect(await seal.open(sealed, PLACE)).toBe('token');
    expect(reads).toBe(1);
  });

  it('that was changed is found by a function that lives when a token does not open, and the old one opens on', async () => {
    const [old, fresh] = [await createSeal(OLD), await createSeal(NEW)];
    const seal = living();
    const before = await old.seal('before', PLACE);
    expect(await seal.open(before, PLACE)).toBe('before');
    key = NEW;
    now = MINUTE;
    expect(await seal.open(await fresh.seal('after', PLACE), PLACE)).toBe('after');
    expect(reads).toBe(2);
    // A worker that has not noticed yet has sealed it.
    expect(await seal.open(before, PLACE)).toBe('before');
    expect(reads).toBe(2);
  });

  it('that was changed is what is sealed with five minutes later', async () => {
    const seal = living();
    await seal.seal('x', PLACE);
    key = NEW;
    now = 5 * MINUTE - 1;
    expect(await (await createSeal(OLD)).open(await seal.seal('early', PLACE), PLACE)).toBe('early');
    now = 5 * MINUTE;
    expect(await (await createSeal(NEW)).open(await seal.seal('late', PLACE), PLACE)).toBe('late');
    expect(reads).toBe(2);
  });

  it('is not read again and again for a token that no key opens', async () => {
    const lost = await (await createSeal('a key that is lost, of 32 characters')).seal('token', PLACE);
    const seal = living();
    for (const time of [0, 1, 9_999]) {
      now = time;
      await expect(seal.open(lost, PLACE)).rejects.toThrow('another key of the installation');
    }
    expect(reads).toBe(1);
    now = 10_000;
    await expect(seal.open(lost, PLACE)).rejects.toBeInstanceOf(SealError);
    expect(reads).toBe(2);
  });

  it('is not read again for a token that was changed or stands elsewhere', async () => {
    const seal = living();
    const sealed = await seal.seal('token', PLACE);
    now = MINUTE;
    await expect(seal.open(sealed, 'prod/apps/other')).rejects.toThrow('where it does not belong');
    expect(reads).toBe(1);
  });

  it('that cannot be read is asked for again the next time', async () => {
    const seal = living();
    fails = true;
    await expect(seal.seal('token', PLACE)).rejects.toThrow('does not answer');
    fails = false;
    expect(await seal.open(await seal.seal('token', PLACE), PLACE)).toBe('token');
  });

  it('must be named', async () => {
    await expect(living('{}').seal('token', PLACE)).rejects.toThrow('storage.key is not set');
  });
});
