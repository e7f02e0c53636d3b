import type { Artifact } from '../core/artifact.ts';
import type { Condition } from '../core/conditions.ts';
import { getCondition } from '../core/conditions.ts';
import type { InventoryEntry } from '../core/inventory.ts';
import { parseEntry } from '../core/inventory.ts';
import type { Kustomization } from '../toolkit/kustomization.ts';
import { isKustomization, listKustomizations } from './kustomizations.ts';
import { sourceRefOf } from './load-source.ts';
import type { ToolkitRef } from './object-key.ts';
import { keyOf, objectKey } from './object-key.ts';
import type { Run } from './run.ts';
import type { WithStatus } from './status.ts';

/** The shortest and the longest pause before a prune is tried again. */
export const FIRST_LOOK_MS = 1_500;
const LAST_LOOK_MS = 60_000;

/** Reasons that say that what a Kustomization holds at its revision is not known. */
const UNKNOWN_RENDER = new Set(['BuildFailed', 'ArtifactFailed']);

/**
 * Which other Kustomizations of the same source have not built this revision yet. Until they have, an object that left one of them may
 * turn out to have moved to another, and deleting it in between would lose what it holds (a volume, an address).
 * @param leaving what is about to be deleted: Kustomizations among it, and those that these have applied, will build nothing any more
 * @returns their keys; empty: everything is known and pruning is safe
 */
export async function unbuilt(
  run: Run,
  source: ToolkitRef,
  revision: string,
  leaving: readonly InventoryEntry[],
): Promise<string[]> {
  const items = await listKustomizations(run.client);
  const own = objectKey(run.ref);
  const going = new Set<string>();
  addLeaving(leaving, new Map(items.map((item) => [keyOf(item), item])), going);
  return items
    .map((item) => ({
      item,
      key: keyOf(item),
    }))
    .filter(
      ({ item, key }) =>
        key !== own &&
        !going.has(key) &&
        objectKey(sourceRefOf(item)) === objectKey(source) &&
        mayClaim(item, revision),
    )
    .map(({ key }) => key);
}

/**
 * When to look again, in ms from now: soon after a push, ever more rarely while something stays broken.
 * @param artifact what is to be built
 */
export function againMs(now: number, artifact: Pick<Artifact, 'lastUpdateTime'>): number {
  const age = now - Date.parse(artifact.lastUpdateTime);
  return Math.min(LAST_LOOK_MS, Math.max(FIRST_LOOK_MS, age / 4));
}

/** The Kustomizations in an inventory, and in theirs, down to the last. */
function addLeaving(
  entries: readonly InventoryEntry[],
  byKey: ReadonlyMap<string, Kustomization>,
  going: Set<string>,
): void {
  for (const entry of entries) {
    const ref = parseEntry(entry);
    if (!ref || !isKustomization(ref)) continue;
    const key = objectKey(ref);
    if (going.has(key)) continue;
    going.add(key);
    addLeaving(byKey.get(key)?.status?.inventory?.entries ?? [], byKey, going);
  }
}

function mayClaim(item: Kustomization & WithStatus, revision: string): boolean {
  if (item.spec.suspend === true || item.metadata.deletionTimestamp !== undefined) return false;
  if (item.status?.lastAttemptedRevision !== revision) return true;
  const ready = getCondition(item.status.conditions as Condition[] | undefined, 'Ready');
  return ready?.status === 'False' && UNKNOWN_RENDER.has(ready.reason);
}
