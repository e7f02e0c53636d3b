import { changed } from '../core/changeset.ts';
import type { Condition } from '../core/conditions.ts';
import { removeCondition, setCondition } from '../core/conditions.ts';
import { refOf } from '../core/object.ts';
import { clusterPartition } from '../store/partitions.ts';
import { wasMovedOn } from './advance.ts';
import { enqueue, MAX_QUEUE_DELAY_MS, reconcileJob } from './enqueue.ts';
import { recordEvent } from './events.ts';
import type { Kind } from './kinds.ts';
import { checkLease } from './lease.ts';
import { objectKey } from './object-key.ts';
import type { Outcome } from './outcome.ts';
import { sameReady } from './outcome.ts';
import type { Reconciled } from './reconciled.ts';
import type { Run } from './run.ts';
import { settleMember } from './settle-member.ts';
import type { WithStatus } from './status.ts';
import { writeStatus } from './status.ts';
import { releaseWaiting } from './waiting.ts';

/** Failed objects that wait for long are looked at by the sweep; what is due sooner, or would seem to be done, also gets a delayed job. */
const SWEEP_MS = 60_000;

/**
 * Ends a run: writes the conditions, plans the next run, records the run, tells the commit and releases what waited.
 * Everything after the status is repeated harmlessly when a crash makes the job run again.
 */
export async function settle(
  run: Run,
  kind: Kind,
  { object, outcome, status: own, afterwards }: Reconciled,
): Promise<void> {
  const before = object.status?.conditions as Condition[] | undefined;
  const news =
    !sameReady(before, outcome) || outcome.isNews === true || changed({ entries: run.changes }).length > 0;
  let isBehind = false;
  const written = await writeStatus(
    run.client,
    object,
    (status) => {
      isBehind = wasMovedOn(object.status, status, run.revision);
      return withOutcome(own?.(status) ?? status, run, outcome);
    },
    () => checkLease(run),
  );
  await afterwards?.(written);
  const revision = kind.revision(written);
  await Promise.all([
    plan(run, kind, written, outcome),
    news ? recordEvent(run, written, outcome, revision) : undefined,
    news ? record(run, outcome, revision) : undefined,
    settleMember(run, kind, written, outcome),
    outcome.result === 'success' ? releaseWaiting(run.ctx, run.job.cluster, run.ref) : undefined,
    // The push counts it as done, and sends it nothing.
    isBehind
      ? enqueue(run.ctx, [{ job: reconcileJob(run.ctx, run.job.cluster, run.ref, 'source') }])
      : undefined,
  ]);
  const { cluster } = run.job;
  const attributes = { cluster, kind: run.ref.kind, result: outcome.result, reason: outcome.ready.reason };
  run.ctx.telemetry.duration('slipway.reconcile.duration', run.ctx.now() - run.startedAt, attributes);
  run.log.info(
    {
      result: outcome.result,
      reason: outcome.ready.reason,
      changes: changed({ entries: run.changes }).length,
      ms: run.ctx.now() - run.startedAt,
    },
    outcome.told ?? outcome.ready.message,
  );
}

function withOutcome(status: Record<string, unknown>, { seen, ctx }: Run, outcome: Outcome) {
  const { generation, requestedAt } = seen;
  let conditions = (status.conditions ?? []) as Condition[];
  for (const type of outcome.remove) conditions = removeCondition(conditions, type);
  for (const update of [...outcome.conditions, outcome.ready])
    conditions = setCondition(conditions, update, ctx.now(), generation);
  const settled = outcome.result === 'success' || outcome.stalled;
  return {
    ...status,
    conditions,
    ...(settled ? { observedGeneration: generation } : {}),
    ...(requestedAt === undefined ? {} : { lastHandledReconcileAt: requestedAt }),
  };
}

/** Writes when the object is due next; a time soon enough also becomes a delayed job. */
async function plan(run: Run, kind: Kind, object: WithStatus, outcome: Outcome): Promise<void> {
  const { ctx, job, ref } = run;
  const key = objectKey(ref);
  const jitter = 0.95 + 0.1 * ctx.random();
  const afterMs = outcome.requeueAfterMs ?? kind.intervalMs(object) * jitter;
  const dueAt = ctx.now() + afterMs;
  if (outcome.requeueAfterMs !== undefined && afterMs < (outcome.again ? MAX_QUEUE_DELAY_MS : SWEEP_MS)) {
    const trigger = outcome.again ?? (outcome.ready.status === 'Unknown' ? 'health' : 'retry');
    const again = reconcileJob(ctx, job.cluster, ref, trigger, job.origin ? { origin: job.origin } : {});
    // A source that waits for a pushed commit, or tag, to become visible must still know which one that is.
    await enqueue(ctx, [
      {
        job: { ...again, commit: job.commit, pushedAt: job.pushedAt, tag: job.tag },
        delayMs: Math.ceil(afterMs),
      },
    ]);
  }
  await Promise.all([ctx.index.dueTimes.set(job.cluster, key, dueAt), countFailures(run, outcome)]);
}

/** Counts the runs that fail in a row; a success ends the count. */
async function countFailures(run: Run, outcome: Outcome): Promise<void> {
  const { ctx, job, ref } = run;
  const [partition, key] = [clusterPartition('failures', job.cluster), objectKey(ref)];
  if (outcome.result === 'success') {
    if (run.afterFailure || job.trigger === 'retry') await ctx.index.rows.delete(partition, key);
  } else if (outcome.result === 'failure') {
    const row = await ctx.index.rows.get<number>(partition, key);
    await ctx.index.rows.put(partition, key, (row?.value ?? 0) + 1);
  }
}

async function record(run: Run, outcome: Outcome, revision: string | undefined): Promise<void> {
  const { ctx, job, ref } = run;
  await ctx.index.runs.append({
    id: run.id,
    cluster: job.cluster,
    object: ref,
    trigger: job.trigger,
    ...(job.origin ? { origin: job.origin } : {}),
    ...(revision === undefined ? {} : { revision }),
    startedAt: run.startedAt,
    finishedAt: ctx.now(),
    steps: run.steps,
    changes: run.changes.filter(({ action }) => action !== 'unchanged'),
    result: outcome.result,
    reason: outcome.ready.reason,
    message: outcome.told ?? outcome.ready.message,
  });
}

/** The reference of a Toolkit object with its version, for events. */
export function involved(object: WithStatus) {
  return { ...refOf(object), ...(object.metadata.uid === undefined ? {} : { uid: object.metadata.uid }) };
}
