import fc from 'fast-check';
import { expect, test } from 'vitest';
import { checkPruneGuard } from '../../../lib/apply/prune-guard.ts';
import { ReconcileError } from '../../../lib/core/errors.ts';
import type { Inventory } from '../../../lib/core/inventory.ts';

function inventory(from: number, to: number): Inventory {
  const names = Array.from({ length: Math.max(0, to - from) }, (_, index) => `c${from + index}`);
  return { entries: names.map((name) => ({ id: `n_${name}__ConfigMap`, v: 'v1' })) };
}

function check(previous: Inventory, next: Inventory, allowance?: string): ReconcileError | undefined {
  try {
    checkPruneGuard({ previous, next, renderedDigest: 'sha256:r', allowance, owner: 'Kustomization/n/app' });
    return undefined;
  } catch (error) {
    return error as ReconcileError;
  }
}

test('an empty render deletes nothing of any inventory, and says how to allow it', () => {
  const error = check(inventory(0, 1), inventory(0, 0));
  expect(error).toBeInstanceOf(ReconcileError);
  expect(error).toMatchObject({ reason: 'PruneFailed', outcome: 'stall' });
  expect(error?.message).toContain('the render is empty');
  expect(error?.message).toContain('ConfigMap/n/c0');
  expect(error?.message).toContain('slipway approve Kustomization/n/app sha256:r');
  expect(error?.message).toContain('slipway.dev/allow-prune: sha256:r');
});

test.each([
  [10, 5, true],
  [10, 4, false],
  [9, 1, true],
  [11, 5, false],
  [100, 50, true],
  [100, 49, false],
])('of %i objects, %i left: allowed %s', (total, left, allowed) => {
  expect(check(inventory(0, total), inventory(0, left)) === undefined).toBe(allowed);
});

test('new objects do not make up for lost ones', () => {
  expect(check(inventory(0, 10), inventory(10, 30))).toBeDefined();
});

test('an allowance holds for its own render alone', () => {
  expect(check(inventory(0, 20), inventory(0, 0), 'sha256:r')).toBeUndefined();
  expect(check(inventory(0, 20), inventory(0, 0), 'sha256:other')).toBeDefined();
});

test('nothing is guarded where nothing would go', () => {
  expect(check(inventory(0, 0), inventory(0, 0))).toBeUndefined();
  expect(check(inventory(0, 20), inventory(0, 25))).toBeUndefined();
});

test('long lists are cut', () => {
  const message = check(inventory(0, 500), inventory(0, 0))?.message ?? '';
  expect(message).toContain('and 490 more');
  expect(message.length).toBeLessThan(1_000);
});

test('never more than half of ten or more goes without an allowance', () => {
  const ids = fc.uniqueArray(fc.nat(30), { maxLength: 30 });
  const of = (list: readonly number[]): Inventory => ({
    entries: list.map((id) => ({ id: `n_c${id}__ConfigMap`, v: 'v1' })),
  });
  fc.assert(
    fc.property(ids, ids, (before, after) => {
      const gone = before.filter((id) => !after.includes(id)).length;
      const guarded = gone > 0 && (after.length === 0 || (before.length >= 10 && gone * 2 > before.length));
      expect(check(of(before), of(after)) !== undefined).toBe(guarded);
    }),
  );
});
