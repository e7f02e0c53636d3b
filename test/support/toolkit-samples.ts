import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { parseAllDocuments } from 'yaml';
import type { KubernetesObject } from '../../lib/core/object.ts';

/** Objects that together set every field of the spec of every reconciled Toolkit kind. */
export const samples: readonly KubernetesObject[] = [
  'git-repositories.yaml',
  'images.yaml',
  'kustomizations.yaml',
  'receivers.yaml',
].flatMap((file) => {
  const text = readFileSync(new URL(`../fixtures/toolkit/${file}`, import.meta.url), 'utf8');
  return parseAllDocuments(text).map((document) => document.toJS() as KubernetesObject);
});

/** Values that are wrong in most places, and right in some. */
export const mutation = fc.constantFrom<unknown>(
  null,
  '',
  'x',
  '10m',
  '5x',
  'Secret',
  'y'.repeat(300),
  true,
  0,
  1.5,
  [],
  ['x'],
  [1],
  {},
  { name: 'x' },
  { nme: 'x' },
  { kind: 'Secret', name: 'x' },
);

/** A copy in which one place of the spec is replaced, or gets one more member. */
export function mutate(sample: KubernetesObject, pick: number, replacement: unknown): KubernetesObject {
  // A name that does not exist in the cluster: what an apply takes away from an existing object is another matter.
  const copy: KubernetesObject = {
    ...structuredClone(sample),
    metadata: { name: 'mutant', namespace: 'default' },
  };
  const places: (() => void)[] = [];
  const visit = (node: unknown): void => {
    if (node === null || typeof node !== 'object') return;
    const target = node as Record<string, unknown>;
    for (const key of Object.keys(target)) {
      places.push(() => {
        target[key] = replacement;
      });
      places.push(() => {
        delete target[key];
      });
      visit(target[key]);
    }
    if (!Array.isArray(node))
      places.push(() => {
        target.surplus = replacement;
      });
  };
  visit(copy.spec);
  places[pick % places.length]?.();
  return copy;
}
