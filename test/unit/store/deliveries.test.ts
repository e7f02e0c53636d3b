import { afterAll, beforeAll, expect, test } from 'vitest';
import { Deliveries } from '../../../lib/store/deliveries.ts';
import { type TestSqlite, testSqlite } from '../../support/sqlite.ts';

let parts: TestSqlite;
beforeAll(async () => {
  parts = await testSqlite();
});
afterAll(() => parts.close());

test('a delivery is done once it was marked, for its provider alone, for a week', async () => {
  const deliveries = new Deliveries(parts.freshTable(), parts.clock.now);
  expect(await deliveries.isDone('github', 'id-1')).toBe(false);
  await deliveries.markDone('github', 'id-1');
  await deliveries.markDone('github', 'id-1');
  expect(await deliveries.isDone('github', 'id-1')).toBe(true);
  expect(await deliveries.isDone('github', 'id-2')).toBe(false);
  expect(await deliveries.isDone('gitlab', 'id-1')).toBe(false);
  parts.clock.advance(7 * 24 * 3_600_000 - 1);
  expect(await deliveries.isDone('github', 'id-1')).toBe(true);
  parts.clock.advance(1);
  expect(await deliveries.isDone('github', 'id-1')).toBe(false);
});
