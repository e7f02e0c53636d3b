import { applyStaged } from '../apply/apply.ts';
import { ApplyError } from '../apply/apply-error.ts';
import { checkPruneGuard } from '../apply/prune-guard.ts';
import type { ApplyResult } from '../apply/types.ts';
import type { Condition } from '../core/conditions.ts';
import { getCondition, setCondition } from '../core/conditions.ts';
import { digestOf, sameJson } from '../core/digest.ts';
import type { Inventory, InventoryEntry } from '../core/inventory.ts';
import { difference, entryOf, parseEntry, union } from '../core/inventory.ts';
import { describe, identityOf, refOf } from '../core/object.ts';
import { closureDigest } from '../core/tree.ts';
import type { KubeClient } from '../kube/client.ts';
import type { Rendered } from '../render/render.ts';
import type { Begun } from '../store/applied.ts';
import type { InputRecord } from '../store/inputs.ts';
import { ALLOW_PRUNE } from '../toolkit/annotations.ts';
import type { Kustomization } from '../toolkit/kustomization.ts';
import { wasMovedOn } from './advance.ts';
import { appliedOutcome, appliedStatus } from './applied-status.ts';
import { applyOptions } from './apply-options.ts';
import { approvalOf } from './approval.ts';
import { withChildren } from './child-inventories.ts';
import { Outdated } from './finalize.ts';
import { withoutFlux } from './flux-parts.ts';
import { checkHealth } from './health.ts';
import { keptByOthers } from './kept-by-others.ts';
import { kustomizationsIn } from './kustomizations.ts';
import { expectLateWrites, lateWritesUntil } from './late-writes.ts';
import { checkLease, leaseLost, OutOfTime } from './lease.ts';
import type { LoadedSource } from './load-source.ts';
import { movingHere } from './moving-here.ts';
import { objectKey } from './object-key.ts';
import { againMs } from './prune-gate.ts';
import { pruneWhenBuilt } from './prune-when-built.ts';
import type { Reconciled } from './reconciled.ts';
import type { Run } from './run.ts';
import { step } from './run.ts';
import type { WithStatus } from './status.ts';
import { writeStatus } from './status.ts';
import { joinRollout, sendChildren } from './toolkit-objects.ts';
import { withoutEffect } from './unsupported.ts';

/** Brings a cluster to a render: inventory, apply, prune, health. */
export async function applyRendered(
  run: Run,
  object: Kustomization,
  source: LoadedSource,
  client: KubeClient,
  rendered: Rendered,
): Promise<Reconciled> {
  const { ctx, job } = run;
  const key = objectKey(run.ref);
  const { artifact } = source;
  const { revision } = artifact;
  const recorded: Inventory = { entries: object.status?.inventory?.entries ?? [] };
  const { objects, previous } = withoutFlux(run, rendered.objects, recorded);
  const next = union({ entries: [] }, { entries: objects.map((item) => entryOf(item)) });
  const gone = object.spec.prune ? difference(previous, next) : [];
  const allowed = gone.length > 0 && (await guardPrune(run, object, previous, next, rendered.digest));
  // What is about to be created stands in the inventory before it is: a crash in between orphans nothing.
  const begun = await step(run, 'begin', () => begin(run, object, union(previous, next), revision));
  const marked = await ctx.index.applied.begin(job.cluster, key, revision);
  if (marked.cutOff) await expectLateWrites(run);
  const options = {
    ...applyOptions(run, object, marked.records, previous, revision),
    ...(marked.cutOff ? { fence: run.id } : {}),
  };
  const applied = await step(run, 'apply', () =>
    noteChanges(run, applyStaged(client, objects, options)),
  ).catch((error: unknown) =>
    stopped(run, object, error, { client, previous, next, revision, begun: marked }),
  );
  const children = await joinRollout(run, object, revision, applied.applied, marked.cutOff);
  const pruned = await step(run, 'prune', () => pruneWhenBuilt(run, object, source, client, gone, allowed));
  const saved = await ctx.index.applied.save(job.cluster, key, applied.records, {
    begun: marked,
    run: run.id,
  });
  if (!saved) throw leaseLost();
  // What a run before this one was about to create may yet appear, when that one was only frozen: it is looked for once more.
  const lateUntil = pruned.removed.length > 0 ? await lateWritesUntil(run) : undefined;
  // What is still to be done must not be taken for done by a run that comes in between, finds nothing new and plans the next one later.
  const unfinished = pruned.waitsFor.length > 0 || applied.terminating.length > 0 || lateUntil !== undefined;
  if (unfinished) await ctx.index.applied.markWaiting(job.cluster, key, revision);
  const expected = lateUntil === undefined ? [] : pruned.removed;
  const inventory = union(next, { entries: [...pruned.survivors, ...expected] });
  const withInventory = (status: Record<string, unknown>) => ({
    ...status,
    lastAttemptedRevision: revision,
    inventory,
  });
  run.attempted = withInventory;
  if (pruned.error) throw pruned.error;
  const notice = `${withoutEffect(objects)}${keptByOthers(applied.changeSet.entries)}`;
  const leaving = kustomizationsIn(pruned.survivors);
  const inputs: InputRecord = {
    generation: object.metadata.generation ?? 0,
    revision,
    closure: rendered.closure,
    closureDigest: closureDigest(rendered.closure, await source.index()),
    inputDigest: digestOf([object.spec, artifact.digest]),
    renderedDigest: rendered.digest,
    token: run.lease.token,
    ...(notice === '' ? {} : { notice }),
    ...(leaving.length === 0 ? {} : { leaving }),
  };
  await ctx.index.inputs.put(job.cluster, key, inputs, object.status?.lastAppliedRevision === undefined);
  const render = { applied: objects.map(refOf), desired: objects, revision, renderedDigest: rendered.digest };
  const health = await step(run, 'health', () => checkHealth(run, object, client, render));
  const afterwards = () => sendChildren(run, children);
  if (health.pending) return { object: begun, outcome: health.pending, status: withInventory, afterwards };
  const count = pruned.survivors.length;
  const waiting =
    pruned.waitsFor.length > 0
      ? `; ${count === 1 ? '1 object is' : `${count} objects are`} deleted once ${pruned.waitsFor.join(', ')} is built`
      : '';
  const outcome = { ...appliedOutcome(revision, `${waiting}${notice}`, health.conditions), notice };
  const soon = waiting !== '' || applied.terminating.length > 0;
  const againAfterMs = soon
    ? againMs(ctx.now(), artifact)
    : lateUntil === undefined
      ? undefined
      : lateUntil - ctx.now() + 1_000;
  return {
    object: begun,
    outcome:
      againAfterMs === undefined ? outcome : { ...outcome, requeueAfterMs: againAfterMs, again: 'prune' },
    status: (present) => appliedStatus(withInventory(present), run, artifact, rendered.digest),
    afterwards,
  };
}

/**
 * Refuses deletions that look like an accident.
 * @returns whether somebody has allowed what this render leaves out
 */
async function guardPrune(
  run: Run,
  object: Kustomization,
  previous: Inventory,
  next: Inventory,
  renderedDigest: string,
): Promise<boolean> {
  const owner = objectKey(run.ref);
  const approved = await approvalOf(run.ctx, run.job.cluster, owner);
  const allowance = object.metadata.annotations?.[ALLOW_PRUNE] ?? approved;
  const [all = previous, kept = next] = await withChildren(run, [previous, next]);
  checkPruneGuard({ previous: all, next: kept, renderedDigest, allowance, owner });
  return allowance === renderedDigest;
}

/**
 * An apply that failed: what it has not even tried to create leaves the inventory again, since whoever applies may have no right to look
 * for it, and then could never delete it. What is about to move here stays.
 * @throws the error
 */
async function stopped(
  run: Run,
  object: Kustomization,
  error: unknown,
  {
    client,
    previous,
    next,
    revision,
    begun,
  }: { client: KubeClient; previous: Inventory; next: Inventory; revision: string; begun: Begun },
): Promise<never> {
  if (!(error instanceof ApplyError) || !(await run.ctx.index.leases.check(run.lease))) throw error;
  const { sent, changeSet } = error.result;
  const children = await joinRollout(run, object, revision, error.result.applied, false);
  const seen = new Set([...sent, ...changeSet.entries.map(({ ref }) => identityOf(ref))]);
  const isSeen = (entry: InventoryEntry) => {
    const ref = parseEntry(entry);
    return ref === undefined || seen.has(identityOf(ref));
  };
  const there = next.entries.filter(isSeen);
  const untried = difference({ entries: next.entries.filter((entry) => !isSeen(entry)) }, previous);
  // Whoever lets them go looks here whether they have moved.
  const coming = await movingHere(run, object, client, untried);
  const inventory = union(previous, { entries: [...there, ...coming] });
  run.attempted = (status) => ({ ...status, lastAttemptedRevision: revision, inventory });
  const { applied } = run.ctx.index;
  const [cluster, key] = [run.job.cluster, objectKey(run.ref)];
  if (!(error.cause instanceof OutOfTime)) {
    // Where a run was cut off before, the next one has to fence off, too, what that one has in hand.
    if (!begun.cutOff) await applied.markWaiting(cluster, key, revision);
    throw error;
  }
  // What was done is remembered, or a run that needs longer than a worker has would do its first half for ever.
  if (!(await applied.save(cluster, key, error.result.records, { run: run.id, begun, waiting: true })))
    throw leaseLost();
  // The run that goes on finds these as they should be, and sends them no job.
  await sendChildren(run, children);
  throw error;
}

/** Records what an apply did, also when it failed half-way. */
async function noteChanges(run: Run, applying: Promise<ApplyResult>): Promise<ApplyResult> {
  try {
    const result = await applying;
    run.changes.push(...result.changeSet.entries);
    return result;
  } catch (error) {
    if (error instanceof ApplyError) run.changes.push(...error.result.changeSet.entries);
    throw error;
  }
}

/**
 * Writes the inventory that the run may come to, and that it has begun; nothing when both stand there already. Another try at what has failed
 * is no news: Ready stays as it is until the try has ended otherwise, and so tells since when it is like that.
 * @throws Outdated when a push has moved the object on since it was read: what was loaded is not the newest
 */
async function begin(
  run: Run,
  object: WithStatus & Kustomization,
  inventory: Inventory,
  revision: string,
): Promise<WithStatus> {
  const sameInventory = sameJson(inventory.entries, object.status?.inventory?.entries ?? []);
  if (sameInventory && object.status?.lastAttemptedRevision === revision) return object;
  const message = `Reconciliation of revision ${revision} is in progress`;
  const progressing = { reason: 'Progressing', message };
  const generation = object.metadata.generation ?? 0;
  return writeStatus<WithStatus>(
    run.client,
    object,
    (status) => {
      if (wasMovedOn(object.status, status, revision))
        throw new Outdated(`${describe(run.ref)} was moved on from ${revision}`);
      const present = (status.conditions ?? []) as Condition[];
      const ready = getCondition(present, 'Ready');
      const isRetry = ready?.status === 'False' && ready.observedGeneration === generation;
      if (isRetry && status.lastAttemptedRevision === revision) return { ...status, inventory };
      const busy = setCondition(
        present,
        { type: 'Reconciling', status: 'True', ...progressing },
        run.ctx.now(),
        generation,
      );
      const conditions = setCondition(
        busy,
        { type: 'Ready', status: 'Unknown', ...progressing },
        run.ctx.now(),
        generation,
      );
      return { ...status, conditions, lastAttemptedRevision: revision, inventory };
    },
    () => checkLease(run),
  );
}
