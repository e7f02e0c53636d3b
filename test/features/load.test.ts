import { expect, test } from 'vitest';
import { playLoad } from '../load/play-load.ts';

test('pushes that are dropped, doubled and shuffled while the server is killed again and again leave everything at the last commit', async () => {
  const report = await playLoad({
    backend: 'sqlite',
    size: {
      ...{ pushes: 60, repositories: 2, objects: 10, pushesPerSecond: 6 },
      ...{ dropped: 0.05, duplicated: 0.1 },
    },
    // Not frozen: that takes longer than a lease, and `npm run load` does it.
    strikes: { everyMs: 4_000, pauses: 0, inWrite: 0.5 },
    seed: 3,
    settleMs: 90_000,
    say() {},
  });
  expect(report.problems).toEqual([]);
  expect(report.strikes.kills).toBeGreaterThan(0);
  expect(report.delivered.accepted).toBeGreaterThan(50);
  expect(report.effective).toBeGreaterThan(20);
}, 240_000);
