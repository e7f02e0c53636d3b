import { messageOf, ReconcileError } from '../core/errors.ts';
import type { ReconcileJob } from '../core/job.ts';
import { every } from '../queue/timers.ts';
import { clusterPartition } from '../store/partitions.ts';
import { REQUESTED_AT } from '../toolkit/annotations.ts';
import { parseToolkitObject } from '../toolkit/parse.ts';
import { checkWriter } from './cluster-writer.ts';
import { conceal } from './conceal.ts';
import type { Context } from './context.ts';
import { fence } from './fence.ts';
import { addFinalizer, finalize, forget, Outdated } from './finalize.ts';
import { leaveAsGuest } from './guests.ts';
import { leaveRollouts, SUSPENDED } from './heal-rollouts.ts';
import { workOf } from './kind-work.ts';
import type { Kind } from './kinds.ts';
import { kinds } from './kinds.ts';
import { takeNew } from './new-objects.ts';
import { objectKey } from './object-key.ts';
import { failed } from './outcome.ts';
import { takePrecedence } from './precedence.ts';
import { notReadyMs, wasUnsuccessful } from './ready.ts';
import type { Reconciled } from './reconciled.ts';
import { sourceKeyOf } from './rollout.ts';
import type { Run } from './run.ts';
import { step } from './run.ts';
import { settle } from './settle.ts';
import type { WithStatus } from './status.ts';
import { subscribeOne } from './subscribe.ts';

/** How long a lease holds without being renewed; a worker that dies blocks its object for at most this long. */
export const LEASE_MS = 60_000;

/** So often an object is read again when it changes between being read and its first write; later the message comes again. */
const ATTEMPTS = 3;

/** What became of a job, for the worker that ran it. */
export type JobResult = 'done' | 'busy';

/**
 * Reconciles the object that a job names. Ends normally whatever the object's state: success, failure and waiting are
 * written to the object, to the audit and to commit statuses, and the next run is planned. Throws only when that could not
 * be done either (then the message returns and runs again).
 * @returns `busy` when another worker holds the object
 */
export async function reconcile(ctx: Context, job: ReconcileJob): Promise<JobResult> {
  const kind = kinds[job.kind];
  if (!kind || kind.group !== job.group) return 'done';
  const key = objectKey(job);
  const lease = await ctx.index.leases.acquire(`${job.cluster}/${key}`, ctx.holder, LEASE_MS);
  if (!lease) return 'busy';
  const lost = new AbortController();
  const renew = () => {
    ctx.index.leases.renew(lease, LEASE_MS).then(
      (renewed) => renewed || lost.abort(new Error('lease lost')),
      (error) => lost.abort(error),
    );
  };
  const stopRenewing = every(LEASE_MS / 3, renew, ctx.timers);
  try {
    const cluster = await ctx.cluster(job.cluster);
    // Before anything else: where somebody else is at work, not even a status is written.
    await checkWriter(ctx, cluster);
    const id = ctx.newId();
    const run: Run = {
      id,
      ctx,
      cluster,
      client: cluster.client,
      job,
      ref: { group: job.group, kind: job.kind, namespace: job.namespace, name: job.name },
      lease,
      log: ctx.log.child({ run: id, cluster: job.cluster, object: key, trigger: job.trigger }),
      seen: { uid: '', generation: 0 },
      afterFailure: false,
      startedAt: ctx.now(),
      steps: [],
      changes: [],
      secrets: [],
      warnings: [],
      attempted: (status) => status,
      signal: AbortSignal.any([ctx.signal, lost.signal]),
    };
    const end = takePrecedence(run);
    await reconcileObject(run, kind).finally(end);
    return 'done';
  } finally {
    stopRenewing();
    await ctx.index.leases.release(lease);
  }
}

async function reconcileObject(run: Run, kind: Kind): Promise<void> {
  const load = () =>
    step(run, 'load', () => run.client.get<WithStatus>({ ...run.ref, version: kind.version }));
  let object = takeNew(run.cluster, objectKey(run.ref)) ?? (await load());
  for (let attempt = 1; object; attempt++) {
    try {
      return await reconcileAsSeen(run, kind, object);
    } catch (error) {
      if (!(error instanceof Outdated) || attempt === ATTEMPTS) throw error;
      object = await load();
    }
  }
  return forget(run);
}

/** @throws Outdated before anything is written, when the object without a finalizer is not as it was seen */
async function reconcileAsSeen(run: Run, kind: Kind, object: WithStatus): Promise<void> {
  const { uid = '', generation = 0, annotations } = object.metadata;
  const requestedAt = annotations?.[REQUESTED_AT];
  run.seen = { uid, generation, ...(requestedAt === undefined ? {} : { requestedAt }) };
  run.afterFailure = wasUnsuccessful(object);
  if (object.metadata.deletionTimestamp !== undefined) return finalize(run, object);
  const parsed = parseToolkitObject(object);
  if (!parsed.ok) {
    const problems = parsed.errors.map(({ message }) => message).join('; ');
    const error = new ReconcileError('ReconciliationFailed', problems, { outcome: 'stall' });
    const policy = { reason: 'ReconciliationFailed', retryMs: 0, failures: 0 };
    return settle(run, kind, { object, outcome: failed(error, policy, run.ctx.random) });
  }
  if (kind.suspended(parsed.object)) {
    run.log.info('suspended: not reconciled');
    await leaveRollouts(
      run.ctx,
      run.job.cluster,
      sourceKeyOf(run.ref, object),
      objectKey(run.ref),
      SUSPENDED,
    );
    await leaveAsGuest(run, SUSPENDED);
    await run.ctx.index.dueTimes.clear(run.job.cluster, objectKey(run.ref));
    return;
  }
  await settle(run, kind, await attempt(run, kind, object, parsed.object));
}

async function attempt(run: Run, kind: Kind, object: WithStatus, parsed: WithStatus): Promise<Reconciled> {
  try {
    const { metadata, status } = await addFinalizer(run, await fence(run, object));
    // Before it looks at its repository: a push from then on finds it, however new it is.
    await subscribeOne(run.ctx, run.job.cluster, parsed);
    const whole = { ...parsed, metadata, ...(status === undefined ? {} : { status }) };
    return await workOf(run.ref.kind).reconcile(run, whole);
  } catch (error) {
    if (error instanceof Outdated) throw error;
    // Shutting down, or the lease is lost: whoever takes the job next says how it ended.
    if (run.signal.aborted || !(await run.ctx.index.leases.check(run.lease))) throw error;
    conceal(error, run.secrets);
    const stack = error instanceof Error && !(error instanceof ReconcileError) ? error.stack : undefined;
    run.log.warn({ error: messageOf(error), stack }, 'reconcile failed');
    const policy = {
      ...kind.retryPolicy(parsed, await failures(run)),
      waitedMs: notReadyMs(object, run.ctx.now()),
    };
    const outcome = failed(error, policy, run.ctx.random);
    const live = await run.client.get<WithStatus>({ ...run.ref, version: kind.version });
    return { object: live ?? object, outcome, status: run.attempted };
  }
}

/** How many runs in a row have failed, from the index; 0 when it does not know. */
async function failures(run: Run): Promise<number> {
  const row = await run.ctx.index.rows.get<number>(
    clusterPartition('failures', run.job.cluster),
    objectKey(run.ref),
  );
  return row?.value ?? 0;
}
