import { expect, test } from 'vitest';
import { isCreateOnly, isExcluded, isForced, isKept, isMerged } from '../../../lib/apply/policy.ts';
import type { ObjectMeta } from '../../../lib/core/object.ts';

const GROUP = 'kustomize.toolkit.fluxcd.io';

function says(key: string, value: string, where: 'labels' | 'annotations' = 'annotations'): ObjectMeta {
  return { name: 'x', [where]: { [`${GROUP}/${key}`]: value } };
}

test('case does not matter, and labels count as annotations do', () => {
  expect(isExcluded(GROUP, says('reconcile', 'Disabled'))).toBe(true);
  expect(isExcluded(GROUP, says('reconcile', 'disabled', 'labels'))).toBe(true);
  expect(isExcluded(GROUP, says('ssa', 'ignore'))).toBe(true);
  expect(isCreateOnly(GROUP, says('ssa', 'ifnotpresent'))).toBe(true);
  expect(isMerged(GROUP, undefined, says('ssa', 'MERGE'))).toBe(true);
  expect(isForced(GROUP, says('force', 'enabled'))).toBe(true);
  expect(isKept(GROUP, says('prune', 'DISABLED'))).toBe(true);
});

test('other values and other groups mean nothing', () => {
  expect(isExcluded(GROUP, says('reconcile', 'enabled'), says('ssa', 'Override'), undefined)).toBe(false);
  expect(isForced(GROUP, says('force', 'true'))).toBe(false);
  expect(isKept('helm.toolkit.fluxcd.io', says('prune', 'disabled'))).toBe(false);
});

test('what is not reconciled is not pruned either', () => {
  expect(isKept(GROUP, says('reconcile', 'disabled'))).toBe(true);
  expect(isKept(GROUP, says('ssa', 'Ignore'))).toBe(true);
  expect(isKept(GROUP, says('ssa', 'IfNotPresent'))).toBe(false);
});
