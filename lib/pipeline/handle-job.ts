import { messageOf } from '../core/errors.ts';
import type { HookJob, Job, ReconcileJob } from '../core/job.ts';
import { isTransient, KubeError } from '../kube/errors.ts';
import { KubeconfigError } from '../kube/kubeconfig-document.ts';
import { SecretError } from '../secrets/resolve-secret.ts';
import { clusterPartition } from '../store/partitions.ts';
import { WriterError } from './cluster-writer.ts';
import type { Context } from './context.ts';
import { enqueue } from './enqueue.ts';
import { fanOut } from './fan-out.ts';
import { handleHook } from './handle-hook.ts';
import type { Handled } from './handle-message.ts';
import { handleSweep } from './handle-sweep.ts';
import { fanOutImage } from './image-fan-out.ts';
import { objectKey } from './object-key.ts';
import { reconcile } from './reconcile.ts';
import { dropRequest } from './send-hook.ts';
import { tellUnreachable } from './tell-unreachable.ts';

/** Triggers of jobs that were planned for a time: a later plan for the same object puts them out of date. */
const PLANNED: ReadonlySet<string> = new Set(['due', 'retry', 'health', 'prune']);

/** So much may the clocks of two workers differ, in ms. */
const SKEW_MS = 1_000;

/** Pauses before a job for a cluster that cannot be reached is tried again, in ms, by the number of failures in a row. */
const UNREACHABLE_MS = [5_000, 15_000, 30_000, 60_000, 120_000, 300_000];

/** How long, and how often, a Receiver's call waits for a cluster that cannot be reached, in ms; later the objects' own intervals do. */
const CALL_KEEP_MS = 15 * 60_000;
const CALL_AGAIN_MS = 30_000;

/** Does what a job asks for. */
export async function handleJob(ctx: Context, job: Job): Promise<Handled> {
  switch (job.type) {
    case 'push':
      await fanOut(ctx, job);
      return 'done';
    case 'image':
      await fanOutImage(ctx, job);
      return 'done';
    case 'hook':
      await handleCall(ctx, job);
      return 'done';
    case 'reconcile':
      return handleReconcile(ctx, job);
    case 'sweep':
      await handleSweep(ctx, job);
      return 'done';
    case 'notify':
      // The job of another queue, whose worker holds no credential of a cluster.
      return 'done';
  }
}

async function handleReconcile(ctx: Context, job: ReconcileJob): Promise<Handled> {
  if ((await isOutdated(ctx, job)) || (await isOvertaken(ctx, job))) return 'done';
  const key = objectKey(job);
  try {
    return await reconcile(ctx, job);
  } catch (error) {
    if (ctx.signal.aborted || !isUnreachable(error)) throw error;
    const partition = clusterPartition('unreachable', job.cluster);
    const failures = (await ctx.index.rows.get<number>(partition, key))?.value ?? 0;
    const delayMs = UNREACHABLE_MS[Math.min(failures, UNREACHABLE_MS.length - 1)] as number;
    const text = `cluster ${job.cluster} cannot be used: ${messageOf(error)}`;
    ctx.log.error({ cluster: job.cluster, object: key, retryInMs: delayMs }, text);
    // A job that cannot even say on its object what is wrong says it on the commit, and must not end as a dead letter.
    await tellUnreachable(ctx, job, text);
    await ctx.index.rows.put(partition, key, failures + 1, { expiresAt: ctx.now() + 3_600_000 });
    await ctx.index.dueTimes.set(job.cluster, key, ctx.now() + delayMs);
    await enqueue(ctx, [{ job: { ...job, requestedAt: ctx.now() }, delayMs }]);
    return 'done';
  }
}

async function handleCall(ctx: Context, job: HookJob): Promise<void> {
  try {
    await handleHook(ctx, job);
  } catch (error) {
    if (ctx.signal.aborted || !isUnreachable(error)) throw error;
    const fields = { cluster: job.cluster, hook: job.origin.id, error: messageOf(error) };
    if (ctx.now() - job.receivedAt > CALL_KEEP_MS) {
      ctx.log.error(fields, 'the call of a Receiver is given up: its cluster cannot be used');
      await dropRequest(ctx, job);
      return;
    }
    ctx.log.warn(fields, 'the call of a Receiver waits: its cluster cannot be used');
    await enqueue(ctx, [{ job, delayMs: CALL_AGAIN_MS }]);
  }
}

/** Whether a planned job has been replaced by a later plan: each run plans anew, so only the last plan counts. */
async function isOutdated(ctx: Context, job: ReconcileJob): Promise<boolean> {
  if (!PLANNED.has(job.trigger)) return false;
  const dueAt = await ctx.index.dueTimes.get(job.cluster, objectKey(job));
  return dueAt !== undefined && dueAt > ctx.now() + SKEW_MS;
}

/**
 * Whether a push was overtaken while its job waited: a run that began after it has found a later commit, and brings that to everything. Of a
 * hundred pushes in a row the repository is so asked for the first and the last alone. One that comes again (A → B → A) is announced anew.
 */
async function isOvertaken(ctx: Context, job: ReconcileJob): Promise<boolean> {
  if (job.trigger !== 'push' || !job.commit) return false;
  const rollout = await ctx.index.rollouts.get(job.cluster, objectKey(job), job.commit);
  return rollout !== undefined && rollout.supersededBy !== '';
}

/** No answer, no access, no usable credential, or somebody else who writes there: nothing is wrong with the object. */
function isUnreachable(error: unknown): boolean {
  if (error instanceof WriterError) return true;
  if (error instanceof KubeconfigError || error instanceof SecretError) return true;
  return error instanceof KubeError && (isTransient(error) || error.code === 401 || error.code === 403);
}
