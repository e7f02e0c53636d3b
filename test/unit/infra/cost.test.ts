import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { expect, test } from 'vitest';
import { monthlyDollars } from '../../../infra/cost/monthly-dollars.ts';

const root = resolve(import.meta.dirname, '../../..');

const SIZES = [10, 100, 1_000];

test('the sums in the documentation are those of the calculation', () => {
  const text = readFileSync(join(root, 'docs/deploy-aws.md'), 'utf8');
  for (const [interval, minutes, sourceRuns] of [
    ['1m: the defaults', 1, 60],
    ['5m', 5, 4],
  ] as const) {
    const sums = SIZES.map((clusters) =>
      Math.round(monthlyDollars({ clusters, sweepMs: minutes * 60_000, objects: 20, sourceRuns }).sum),
    );
    expect(text).toContain(`\`sweep.interval\` ${interval} | ${sums.join(' | ')} |`);
  }
});

test('an idle installation costs less the less often it looks, and more with every cluster', () => {
  const sum = (clusters: number, minutes: number) =>
    monthlyDollars({ clusters, sweepMs: minutes * 60_000, objects: 20, sourceRuns: 4 }).sum;
  expect(sum(10, 5)).toBeLessThan(sum(10, 1));
  expect(sum(11, 5)).toBeGreaterThan(sum(10, 5));
});
