import type { ChangeSet } from '../core/changeset.ts';
import { ReconcileError } from '../core/errors.ts';
import { type InventoryEntry, parseEntry } from '../core/inventory.ts';
import type { ObjectRef } from '../core/object.ts';
import { describe, identityOf } from '../core/object.ts';
import type { KubeClient, PartialObject } from '../kube/client.ts';
import { isConflict, KubeError } from '../kube/errors.ts';
import { serverSays } from './failures.ts';
import { compareKinds, compareRefs } from './order.ts';
import { deletedNow, type Fate, judge, type PruneRules } from './prune-verdict.ts';
import { each, pause } from './run.ts';
import type { ApplyOptions } from './types.ts';

/** How stale objects are deleted. */
export interface PruneOptions
  extends PruneRules,
    Pick<ApplyOptions, 'concurrency' | 'signal' | 'now' | 'sleep'> {
  /** Also wait until everything deleted is gone (`deletionPolicy: WaitForTermination`), at most so many ms. */
  waitForTermination?: number;
  /** Called before every delete; throws when the lease is lost. */
  beforeWrite?(): Promise<void>;
}

/** What a prune did. */
export interface PruneResult {
  changeSet: ChangeSet;
  /** Entries that must stay in the inventory: deletion was refused, or cannot be judged. */
  survivors: InventoryEntry[];
  /** Entries whose objects were deleted, or were not there any more. */
  removed: InventoryEntry[];
  /** Other owners that may take some of them over; they are to be looked at again when these are through. */
  waitsFor: string[];
  /** Why they stayed; undefined when all went well. The caller stores the survivors, then throws it. */
  error: ReconcileError | undefined;
}

interface Stale {
  entry: InventoryEntry;
  ref: ObjectRef;
}

/** So often an object may change between being read and deleted. */
const ATTEMPTS = 3;

/**
 * Deletes what an inventory lists and the new render does not, in reverse apply order. An object goes only if it still carries the
 * owner's labels, no controller owns it and nothing says to keep it. A refused delete does not stop the others.
 * @param entries old inventory − new inventory
 * @throws what `beforeWrite` throws, and the reason of an aborted signal
 */
export async function prune(
  client: KubeClient,
  entries: readonly InventoryEntry[],
  options: PruneOptions,
): Promise<PruneResult> {
  const result: PruneResult = {
    changeSet: { entries: [] },
    survivors: [],
    removed: [],
    waitsFor: [],
    error: undefined,
  };
  const stale: Stale[] = [];
  for (const entry of entries) {
    const ref = parseEntry(entry);
    if (ref) stale.push({ entry, ref });
    else result.survivors.push(entry);
  }
  const pruned = new Set(stale.map(({ ref }) => identityOf(ref)));
  const problems: string[] = [];
  const waitsFor = new Set<string>();
  const deleted: { ref: ObjectRef; uid: string }[] = [];
  for (const group of reverseKinds(stale)) {
    for (const outcome of await each(options, group, (item) => fateOf(client, item.ref, pruned, options))) {
      if ('error' in outcome && !(outcome.error instanceof KubeError)) throw outcome.error;
      const { entry, ref } = outcome.item;
      const fate: Fate = 'error' in outcome ? refusal(ref, outcome.error as KubeError) : outcome.value;
      if (fate.action === 'survives') {
        result.survivors.push(entry);
        if (fate.problem) problems.push(fate.detail);
        else if (fate.waitsFor !== undefined) waitsFor.add(fate.waitsFor);
        else result.changeSet.entries.push({ ref, action: 'skipped', detail: fate.detail });
        continue;
      }
      const { action, detail, uid } = fate;
      if (action === 'deleted') result.removed.push(entry);
      result.changeSet.entries.push({ ref, action, ...(detail ? { detail } : {}) });
      if (uid) deleted.push({ ref, uid });
    }
  }
  if (options.waitForTermination) problems.push(...(await untilGone(client, deleted, options)));
  result.waitsFor.push(...[...waitsFor].sort());
  if (problems.length > 0) result.error = new ReconcileError('PruneFailed', problems.join('\n'));
  return result;
}

function reverseKinds(stale: readonly Stale[]): Stale[][] {
  const sorted = stale.toSorted((a, b) => compareRefs(b.ref, a.ref));
  const kinds = Map.groupBy(sorted, ({ ref }) => `${ref.group}/${ref.kind}`);
  return [...kinds.values()].sort(([a], [b]) => (a && b ? compareKinds(b.ref, a.ref) : 0));
}

function refusal(ref: ObjectRef, error: KubeError): Fate {
  const reason = error.reason ? ` (${error.reason})` : '';
  const detail = `${describe(ref)} delete failed${reason}: ${serverSays(error)}`;
  return { action: 'survives', problem: true, detail };
}

async function fateOf(
  client: KubeClient,
  stale: ObjectRef,
  pruned: ReadonlySet<string>,
  options: PruneOptions,
): Promise<Fate> {
  for (let attempt = 1; ; attempt++) {
    const verdict = await judge(client, stale, pruned, options);
    if (verdict.action !== 'delete') return verdict;
    await options.beforeWrite?.();
    try {
      await deleteAsSeen(client, verdict.ref, verdict.live);
      return deletedNow(verdict.live);
    } catch (error) {
      if (!isConflict(error) || attempt >= ATTEMPTS) throw error;
    }
  }
}

async function deleteAsSeen(client: KubeClient, ref: ObjectRef, { metadata }: PartialObject): Promise<void> {
  const { uid, resourceVersion } = metadata;
  await client.delete(ref, {
    propagation: 'Background',
    ...(uid === undefined ? {} : { uid }),
    ...(resourceVersion === undefined ? {} : { resourceVersion }),
  });
}

/** Waits until deleted objects have vanished; what remains then is named with its finalizers. */
async function untilGone(
  client: KubeClient,
  deleted: readonly { ref: ObjectRef; uid: string }[],
  options: PruneOptions,
): Promise<string[]> {
  const deadline = options.now() + (options.waitForTermination ?? 0);
  let left = [...deleted];
  for (let wait = 20; ; wait = Math.min(wait * 2, 2_000)) {
    const found = await Promise.all(
      left.map(async (item) => ({ ...item, live: await client.getMetadata(item.ref) })),
    );
    const remaining = found.filter(({ live, uid }) => live?.metadata.uid === uid);
    if (remaining.length === 0) return [];
    if (options.now() >= deadline) {
      return remaining.map(({ ref, live }) => {
        const finalizers = live?.metadata.finalizers?.join(', ') || 'none';
        return `${describe(ref)} was deleted and does not vanish; its finalizers: ${finalizers}`;
      });
    }
    left = remaining;
    await pause(options, wait);
  }
}
