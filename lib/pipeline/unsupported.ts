import type { KubernetesObject } from '../core/object.ts';
import { describe, gvkOf, refOf } from '../core/object.ts';
import { isToolkitGroup } from '../toolkit/registry.ts';
import { isReconciled } from './kinds.ts';

/** So many are named. */
const NAMED = 5;

/**
 * What is to be said of Toolkit objects that are applied but that nothing acts on, since their kind is not supported: an object without
 * effect must not look like one that works.
 * @returns the end of a sentence, or the empty string when there are none
 */
export function withoutEffect(objects: readonly KubernetesObject[]): string {
  const found = objects.filter(
    (object) => isToolkitGroup(gvkOf(object).group) && !isReconciled(gvkOf(object)),
  );
  if (found.length === 0) return '';
  const named = found.slice(0, NAMED).map((object) => describe(refOf(object)));
  const more = found.length > NAMED ? ` and ${found.length - NAMED} more` : '';
  return `; without effect, since their kind is not supported: ${named.join(', ')}${more}`;
}
