import type { ChangeSetEntry } from '../core/changeset.ts';
import { describe } from '../core/object.ts';

/** So many are named. */
const NAMED = 5;

/**
 * What is to be said of objects that were left to another Kustomization, which applies them too: whoever changes them here must not
 * believe that they are what the cluster has.
 * @returns the end of a sentence, or the empty string when there are none
 */
export function keptByOthers(changes: readonly ChangeSetEntry[]): string {
  const found = changes.flatMap(({ ref, keptBy }) => (keptBy === undefined ? [] : [{ ref, keptBy }]));
  if (found.length === 0) return '';
  const named = found.slice(0, NAMED).map(({ ref, keptBy }) => `${describe(ref)} (${keptBy} applies it too)`);
  const more = found.length > NAMED ? ` and ${found.length - NAMED} more` : '';
  return `; left to another owner: ${named.join(', ')}${more}; remove ${found.length === 1 ? 'it' : 'each'} from one of the two`;
}
