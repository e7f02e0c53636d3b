import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { type Lease, Leases } from '../../../lib/store/leases.ts';
import type { Table } from '../../../lib/store/table.ts';
import { type TestSqlite, testSqlite } from '../../support/sqlite.ts';

const TTL = 60_000;
let parts: TestSqlite;
let table: Table;
beforeAll(async () => {
  parts = await testSqlite();
});
beforeEach(() => {
  table = parts.freshTable();
});
afterAll(() => parts.close());

async function taken(leases: Leases, holder: string): Promise<Lease> {
  const lease = await leases.acquire('prod/app', holder, TTL);
  if (!lease) throw new Error(`${holder} did not get the lease`);
  return lease;
}

describe('a lease', () => {
  test('has one holder, which does not get it twice', async () => {
    const leases = new Leases(table, parts.clock.now);
    const lease = await taken(leases, 'one');
    expect(await leases.acquire('prod/app', 'two', TTL)).toBeUndefined();
    expect(await leases.acquire('prod/app', 'one', TTL)).toBeUndefined();
    expect(await leases.acquire('prod/other', 'two', TTL)).toMatchObject({ token: 1 });
    expect(await leases.check(lease)).toBe(true);
  });

  test('is among those that are taken until it is given back', async () => {
    const leases = new Leases(table, parts.clock.now);
    const lease = await taken(leases, 'one');
    await leases.acquire('staging/app', 'one', TTL);
    expect(await leases.taken('prod')).toEqual(new Set(['prod/app']));
    await leases.release(lease);
    expect(await leases.taken('prod')).toEqual(new Set());
  });

  test('goes to exactly one of many that want it at once', async () => {
    const leases = Array.from({ length: 20 }, () => new Leases(table, parts.clock.now));
    const got = await Promise.all(leases.map((each, index) => each.acquire('prod/app', `w${index}`, TTL)));
    expect(got.filter((lease) => lease !== undefined)).toHaveLength(1);
  });

  test('can be had again after it was given back or has run out, with a higher token', async () => {
    const leases = new Leases(table, parts.clock.now);
    const first = await taken(leases, 'one');
    await leases.release(first);
    expect(await leases.check(first)).toBe(false);
    const second = await taken(leases, 'two');
    parts.clock.advance(TTL);
    expect(await leases.check(second)).toBe(false);
    const third = await taken(leases, 'three');
    expect([first.token, second.token, third.token]).toEqual([1, 2, 3]);
  });

  test('that was lost is neither renewed, nor valid, nor given back in the name of the new holder', async () => {
    const paused = new Leases(table, parts.clock.now);
    const other = new Leases(table, parts.clock.now);
    const old = await taken(paused, 'one');
    parts.clock.advance(TTL);
    const current = await taken(other, 'two');
    expect([old.ranOut, current.ranOut]).toEqual([false, true]);
    expect(await paused.check(old)).toBe(false);
    expect(await paused.renew(old, TTL)).toBe(false);
    await paused.release(old);
    expect(await other.check(current)).toBe(true);
    expect(await other.acquire('prod/app', 'three', TTL)).toBeUndefined();
  });

  test('that was given back here is had again at once, unless another worker had it meanwhile', async () => {
    const leases = new Leases(table, parts.clock.now);
    const other = new Leases(table, parts.clock.now);
    await leases.release(await taken(leases, 'one'));
    const again = await taken(leases, 'one');
    expect(again).toMatchObject({ token: 2 });
    await leases.release(again);
    const theirs = await taken(other, 'two');
    expect(theirs.token).toBe(3);
    expect(await leases.acquire('prod/app', 'one', TTL)).toBeUndefined();
    await other.release(theirs);
    expect(await taken(leases, 'one')).toMatchObject({ token: 4 });
  });

  test('is given back although it is being renewed', async () => {
    const leases = new Leases(table, parts.clock.now);
    const lease = await taken(leases, 'one');
    await Promise.all([leases.renew(lease, TTL), leases.release(lease)]);
    await taken(leases, 'two');
  });

  test('holds from the time of its renewal', async () => {
    const leases = new Leases(table, parts.clock.now);
    const lease = await taken(leases, 'one');
    parts.clock.advance(TTL - 1);
    expect(await leases.renew(lease, TTL)).toBe(true);
    parts.clock.advance(TTL - 1);
    expect(await leases.check(lease)).toBe(true);
    expect(await leases.acquire('prod/app', 'two', TTL)).toBeUndefined();
    parts.clock.advance(1);
    expect(await leases.check(lease)).toBe(false);
  });

  test('that ran out and nobody took can be renewed, but not one that was given back', async () => {
    const leases = new Leases(table, parts.clock.now);
    const lease = await taken(leases, 'one');
    parts.clock.advance(2 * TTL);
    expect(await leases.renew(lease, TTL)).toBe(true);
    expect(await leases.check(lease)).toBe(true);
    await leases.release(lease);
    expect(await leases.renew(lease, TTL)).toBe(false);
  });

  test('of a process that is gone is free at once when the next one says so', async () => {
    const lease = await taken(new Leases(table, parts.clock.now), 'killed');
    const next = new Leases(table, parts.clock.now);
    await next.releaseAll('prod');
    expect((await taken(next, 'next')).token).toBe(lease.token + 1);
  });
});

describe('with clocks that differ by up to ten minutes', () => {
  const MINUTE = 60_000;
  const skewMs = 10 * MINUTE;
  const ahead = () => parts.clock.now() + 10 * MINUTE;
  const behind = () => parts.clock.now() - 10 * MINUTE;

  test.each([
    ['ahead', ahead],
    ['behind', behind],
  ])('a worker whose clock is %s takes no lease that is being renewed', async (_, now) => {
    const leases = new Leases(table, parts.clock.now, { skewMs });
    const other = new Leases(table, now, { skewMs });
    const lease = await taken(leases, 'one');
    for (let time = 0; time < 10; time += 1) {
      expect(await other.acquire('prod/app', 'two', TTL)).toBeUndefined();
      parts.clock.advance(TTL / 2);
      expect(await leases.renew(lease, TTL)).toBe(true);
    }
    expect(await leases.check(lease)).toBe(true);
  });

  test.each([
    ['ahead', ahead],
    ['behind', behind],
  ])('a worker whose clock is %s takes one that it saw unchanged for its whole time', async (_, now) => {
    const lease = await taken(new Leases(table, parts.clock.now, { skewMs }), 'killed');
    const other = new Leases(table, now, { skewMs });
    expect(await other.acquire('prod/app', 'two', TTL)).toBeUndefined();
    parts.clock.advance(TTL - 1);
    expect(await other.acquire('prod/app', 'two', TTL)).toBeUndefined();
    parts.clock.advance(1);
    expect((await other.acquire('prod/app', 'two', TTL))?.token).toBe(lease.token + 1);
  });

  test('a holder notices that another one took its lease over', async () => {
    const leases = new Leases(table, parts.clock.now, { skewMs });
    const other = new Leases(table, parts.clock.now, { skewMs });
    const lease = await taken(leases, 'one');
    await other.releaseAll('prod');
    expect(await leases.check(lease)).toBe(false);
    await taken(other, 'two');
    expect(await leases.check(lease)).toBe(false);
  });

  test('a lease long over is free at first sight', async () => {
    await taken(new Leases(table, parts.clock.now, { skewMs }), 'killed');
    parts.clock.advance(TTL + skewMs);
    await taken(new Leases(table, parts.clock.now, { skewMs }), 'two');
  });
});
