import { expect, test } from 'vitest';
import type { ChangeSetEntry } from '../../../lib/core/changeset.ts';
import { keptByOthers } from '../../../lib/pipeline/kept-by-others.ts';

function skipped(name: string, keptBy?: string): ChangeSetEntry {
  const ref = { group: '', version: 'v1', kind: 'ConfigMap', namespace: 'apps', name };
  return { ref, action: 'skipped', ...(keptBy === undefined ? {} : { keptBy }) };
}

test('nothing is said of what was skipped for another reason', () => {
  expect(keptByOthers([skipped('a')])).toBe('');
});

test('what is left to others is named with its owner, and only the first few of many', () => {
  expect(keptByOthers([skipped('a', 'Kustomization/apps/x')])).toBe(
    '; left to another owner: ConfigMap/apps/a (Kustomization/apps/x applies it too); remove it from one of the two',
  );
  const many = Array.from({ length: 3_000 }, (_, index) => skipped(`a-${index}`, 'Kustomization/apps/x'));
  const text = keptByOthers(many);
  expect(text).toMatch(/ and 2995 more; remove each from one of the two$/);
  expect(text.length).toBeLessThan(600);
});
