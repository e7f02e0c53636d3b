import type { Artifact } from '../core/artifact.ts';
import type { Condition } from '../core/conditions.ts';
import { getCondition } from '../core/conditions.ts';
import type { InventoryEntry } from '../core/inventory.ts';
import type { Kustomization } from '../toolkit/kustomization.ts';
import { kustomizationsIn, waitingFor } from './kustomizations.ts';
import { broughtBy, mayBeAtWork } from './left-out.ts';
import { sourceRefOf } from './load-source.ts';
import type { ToolkitRef } from './object-key.ts';
import { keyOf, objectKey } from './object-key.ts';
import type { Run } from './run.ts';
import type { WithStatus } from './status.ts';

type Item = Kustomization & WithStatus;

/** The shortest and the longest pause before a prune is tried again. */
export const FIRST_LOOK_MS = 1_500;
const LAST_LOOK_MS = 60_000;

/** Reasons that say that what a Kustomization holds at its revision is not known. */
const UNKNOWN_RENDER = new Set(['BuildFailed', 'ArtifactFailed']);

/**
 * Which other Kustomizations of the same source have not built this revision yet. Until they have, an object that left one of them may
 * turn out to have moved to another, and deleting it in between would lose what it holds (a volume, an address).
 * @param leaving what is about to be deleted: Kustomizations among it, and those that these have applied, will build nothing any more
 * @param items all of the cluster; whoever prunes then asks for claims among the same ones, since what changes in between would be missed by both
 * @returns their keys; empty: everything is known and pruning is safe
 */
export async function unbuilt(
  run: Run,
  source: ToolkitRef,
  revision: string,
  leaving: readonly InventoryEntry[],
  items: readonly Item[],
): Promise<string[]> {
  const own = objectKey(run.ref);
  const byKey = new Map(items.map((item) => [keyOf(item), item]));
  const going = new Set<string>([own]);
  addLeaving(kustomizationsIn(leaving), byKey, going);
  const staying = items
    .map((item) => ({ item, key: keyOf(item) }))
    .filter(({ item }) => objectKey(sourceRefOf(item)) === objectKey(source));
  const bringing = staying
    .filter(({ key }) => key === own || !going.has(key))
    // What one puts into another cluster is reconciled there, and takes nothing over from here.
    .filter(({ item }) => !item.spec.kubeConfig && item.status?.lastAttemptedRevision === revision)
    .map(({ item }) => ({ item, held: kustomizationsIn(item.status?.inventory?.entries ?? []) }));
  // What one of them holds that has come to the revision is there soon, though it may not be yet, or be about to be made anew.
  const wanted = new Set(bringing.flatMap(({ held }) => held));
  const neverBegun = await failedBefore(
    run,
    revision,
    staying.filter(({ key }) => !going.has(key)).map(({ item }) => item),
  );
  const isGoing = byKey.get(own)?.metadata.deletionTimestamp !== undefined;
  const waitsFor = () => {
    const claiming = staying
      .filter(({ key }) => !going.has(key))
      .filter(({ item, key }) => neverBegun.has(key) || mayClaim(item, revision, !isGoing && wanted.has(key)))
      .map(({ key }) => key);
    const coming = [...wanted].filter((key) => !going.has(key) && !byKey.has(key));
    return [...claiming, ...coming];
  };
  if (!isGoing) return waitsFor();
  // Two that are being deleted must not wait for each other, nor for what is built only after this one was made anew.
  for (const key of waitingFor(own, items)) going.add(key);
  const holders = bringing.filter(({ item, held }) => held.length > 0 && !going.has(keyOf(item)));
  const isClear = waitsFor().length === 0 && !holders.some(({ item }) => mayBeAtWork(item));
  if (isClear) return [];
  const brought = await broughtBy(
    run,
    revision,
    holders.map(({ item }) => item),
    items,
  );
  // Whoever leaves them out waits for this one to be made anew before it deletes them.
  addLeaving(brought.leftOut, byKey, going);
  return [...new Set([...brought.atWork, ...waitsFor()])];
}

/**
 * When to look again, in ms from now: soon after a push, ever more rarely while something stays broken.
 * @param artifact what is to be built
 */
export function againMs(now: number, artifact: Pick<Artifact, 'lastUpdateTime'>): number {
  const age = now - Date.parse(artifact.lastUpdateTime);
  return Math.min(LAST_LOOK_MS, Math.max(FIRST_LOOK_MS, age / 4));
}

/**
 * The keys of those that have failed at a revision before they had begun to apply it, whatever the reason: what it renders does not stand in
 * their inventories, so they may claim anything.
 */
async function failedBefore(run: Run, revision: string, items: readonly Item[]): Promise<Set<string>> {
  const keys = new Set<string>();
  for (const item of items) {
    const { metadata, spec, status } = item;
    const ready = getCondition(status?.conditions as Condition[] | undefined, 'Ready');
    if (ready?.status !== 'False' || status?.lastAttemptedRevision !== revision) continue;
    if (spec.suspend === true || spec.kubeConfig || metadata.deletionTimestamp !== undefined) continue;
    const begun = await run.ctx.index.applied.begunAt(run.job.cluster, keyOf(item));
    if (begun !== revision) keys.add(keyOf(item));
  }
  return keys;
}

/** Kustomizations, those in their inventories, and in theirs, down to the last. */
function addLeaving(
  keys: readonly string[],
  byKey: ReadonlyMap<string, Kustomization>,
  going: Set<string>,
): void {
  for (const key of keys) {
    if (going.has(key)) continue;
    going.add(key);
    addLeaving(kustomizationsIn(byKey.get(key)?.status?.inventory?.entries ?? []), byKey, going);
  }
}

/** @param isWanted another one holds it at the revision: deleted, it is made anew, and may claim what moved to it */
function mayClaim(item: Item, revision: string, isWanted: boolean): boolean {
  if (item.metadata.deletionTimestamp !== undefined) return isWanted;
  if (item.spec.suspend === true) return false;
  if (item.status?.lastAttemptedRevision !== revision) return true;
  const ready = getCondition(item.status.conditions as Condition[] | undefined, 'Ready');
  return ready?.status === 'False' && UNKNOWN_RENDER.has(ready.reason);
}
