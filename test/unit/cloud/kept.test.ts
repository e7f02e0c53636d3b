import { describe, expect, it } from 'vitest';
import { keep, tokensOf } from '../../../lib/cloud/kept.ts';

const MINUTE = 60_000;

function counted(lifetime = 60 * MINUTE) {
  const state = { now: 0, asked: 0, fails: false };
  const kept = keep(
    async () => {
      state.asked += 1;
      if (state.fails) throw new Error('not now');
      return { value: `token-${state.asked}`, expiresAt: state.now + lifetime };
    },
    () => state.now,
  );
  return { state, kept };
}

describe('what is kept', () => {
  it('is asked for once, by however many at once, and anew five minutes before its end', async () => {
    const { state, kept } = counted();
    expect(await Promise.all([kept(), kept(), kept()])).toEqual(Array(3).fill('token-1'));
    state.now = 55 * MINUTE - 1;
    expect(await kept()).toBe('token-1');
    state.now = 55 * MINUTE;
    expect(await Promise.all([kept(), kept()])).toEqual(['token-2', 'token-2']);
    expect(state.asked).toBe(2);
  });

  it('is replaced when it was refused, once for all who were refused with it', async () => {
    const { state, kept } = counted();
    expect(await kept()).toBe('token-1');
    expect(await kept('token-1')).toBe('token-2');
    expect(await kept('token-1')).toBe('token-2');
    expect(state.asked).toBe(2);
  });

  it('is never a failure', async () => {
    const { state, kept } = counted();
    state.fails = true;
    await expect(kept()).rejects.toThrow('not now');
    state.fails = false;
    expect(await kept()).toBe('token-2');
  });

  it('is asked for each time when nobody says how long it is good', async () => {
    const { kept } = counted(0);
    expect([await kept(), await kept()]).toEqual(['token-1', 'token-2']);
  });
});

it('a connection that asks again has had its token refused, another one has not', async () => {
  const { kept } = counted();
  const [one, other] = [tokensOf(kept), tokensOf(kept)];
  expect([await one(), await other()]).toEqual(['token-1', 'token-1']);
  expect(await one()).toBe('token-2');
  // It had the old one: what the first has got is new to it.
  expect(await other()).toBe('token-2');
  expect(await other()).toBe('token-3');
});
