import { expect, test } from 'vitest';
import { ReconcileError } from '../../../lib/core/errors.ts';
import { failed } from '../../../lib/pipeline/outcome.ts';

const waiting = new ReconcileError('DependencyNotReady', 'not yet', { outcome: 'wait' });

test('what waits looks ever more rarely whether it may go on, and at least every half minute', () => {
  const pause = (waitedMs: number, retryMs = 3_600_000) =>
    failed(waiting, { reason: '', retryMs, failures: 0, waitedMs }, () => 0.5).requeueAfterMs;
  expect([0, 4_000, 40_000, 86_400_000].map((waited) => pause(waited))).toEqual([
    2_000, 2_000, 10_000, 30_000,
  ]);
  expect(pause(86_400_000, 5_000)).toBe(5_000);
});
