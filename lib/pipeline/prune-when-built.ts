import { type PruneResult, prune } from '../apply/prune.ts';
import { takenOver } from '../apply/taken-over.ts';
import type { InventoryEntry } from '../core/inventory.ts';
import { identityOf } from '../core/object.ts';
import type { KubeClient } from '../kube/client.ts';
import type { Kustomization } from '../toolkit/kustomization.ts';
import { claimsOf, sendHeirs } from './claims.ts';
import { identitiesIn, listKustomizations } from './kustomizations.ts';
import { type LoadedSource, presentArtifact } from './load-source.ts';
import { unbuilt } from './prune-gate.ts';
import { pruneOptions } from './prune-options.ts';
import type { Run } from './run.ts';
import type { WithStatus } from './status.ts';

/** What a prune came to, as far as its Kustomization goes on from it. */
type Pruned = Pick<PruneResult, 'survivors' | 'removed' | 'waitsFor' | 'error'>;

/**
 * Prunes, or keeps everything for now while other Kustomizations of the revision, or a newer revision, are still to be built.
 * @param gone what this one has let go
 * @param allowed somebody has allowed what this render leaves out
 */
export async function pruneWhenBuilt(
  run: Run,
  object: Kustomization,
  source: LoadedSource,
  client: KubeClient,
  gone: readonly InventoryEntry[],
  allowed: boolean,
): Promise<Pruned> {
  if (gone.length === 0) return { survivors: [], removed: [], waitsFor: [], error: undefined };
  const { revision } = source.artifact;
  const items = await listKustomizations(run.client);
  const unknown = allowed ? [] : await unbuilt(run, source.ref, revision, gone, items);
  const waitsFor = unknown.length > 0 ? unknown : await newerRevision(run, source);
  if (waitsFor.length > 0) return keptFor(waitsFor, gone, await lostTo(run, object, client, gone, items));
  const claims = object.spec.kubeConfig ? undefined : claimsOf(run, object, revision, items);
  const result = await prune(client, gone, pruneOptions(run, object, allowed, claims));
  run.changes.push(...result.changeSet.entries);
  await sendHeirs(run, claims);
  return result;
}

/**
 * The revision that the source has come to since the run has read it: it may bring back what this one has let go, and the next run, at that
 * revision, knows. None when it is still the same.
 */
async function newerRevision(run: Run, { ref, artifact }: LoadedSource): Promise<string[]> {
  const present = await presentArtifact(run, ref);
  return present && present.digest !== artifact.digest ? [present.revision] : [];
}

/** What stays until others are through, but for what they have taken over already. */
function keptFor(
  waitsFor: string[],
  gone: readonly InventoryEntry[],
  lost: readonly InventoryEntry[],
): Pruned {
  const others = new Set(lost);
  const survivors = gone.filter((entry) => !others.has(entry));
  return {
    survivors,
    removed: [...lost],
    waitsFor: survivors.length > 0 ? waitsFor : [],
    error: undefined,
  };
}

/** What others have taken over of what was let go. */
async function lostTo(
  run: Run,
  object: Kustomization,
  client: KubeClient,
  gone: readonly InventoryEntry[],
  items: readonly (Kustomization & WithStatus)[],
): Promise<InventoryEntry[]> {
  const leaving = object.spec.kubeConfig
    ? []
    : items.filter(({ metadata }) => metadata.deletionTimestamp !== undefined).map(identitiesIn);
  return takenOver(client, gone, {
    ...pruneOptions(run, object, false, undefined),
    heldByLeaving: (ref) => leaving.some((held) => held.has(identityOf(ref))),
  });
}
