import { refOf } from '../core/object.ts';
import { isConflict, isNotFound } from '../kube/errors.ts';
import { clusterPartition } from '../store/partitions.ts';
import { FINALIZER } from '../toolkit/annotations.ts';
import { recordEvent } from './events.ts';
import { leaveAsGuest } from './guests.ts';
import { abandonRollouts, GONE, leaveRollouts } from './heal-rollouts.ts';
import { forgetImage, IMAGE_GROUP } from './image-results.ts';
import { workOf } from './kind-work.ts';
import { kinds } from './kinds.ts';
import { artifactPrefix, SOURCE_GROUP } from './load-source.ts';
import { objectKey } from './object-key.ts';
import { failed } from './outcome.ts';
import { sourceKeyOf } from './rollout.ts';
import type { Run } from './run.ts';
import { settle } from './settle.ts';
import type { WithStatus } from './status.ts';

/** An object was changed or deleted since it was read. */
export class Outdated extends Error {}

/**
 * Puts Flux's finalizer on an object, so that it cannot go before what it applied was dealt with.
 * @throws Outdated when the object is not as it was read
 */
export async function addFinalizer(run: Run, object: WithStatus): Promise<WithStatus> {
  const finalizers = object.metadata.finalizers ?? [];
  if (finalizers.includes(FINALIZER)) return object;
  return asSeen(
    run.client.patch<WithStatus>(refOf(object), 'merge', {
      metadata: { finalizers: [...finalizers, FINALIZER], resourceVersion: object.metadata.resourceVersion },
    }),
  );
}

/**
 * A write that holds only for an object as it was read.
 * @throws Outdated when it was refused since the object is another by now
 */
export async function asSeen<T>(write: Promise<T>): Promise<T> {
  try {
    return await write;
  } catch (error) {
    if (isConflict(error) || isNotFound(error))
      throw new Outdated('the object was changed', { cause: error });
    throw error;
  }
}

/** The end of an object that somebody deletes: cleans up after it, lets it go and forgets it. */
export async function finalize(run: Run, object: WithStatus): Promise<void> {
  const finalizers = object.metadata.finalizers ?? [];
  const kind = kinds[run.ref.kind];
  if (!kind || !finalizers.includes(FINALIZER)) return forget(run);
  let message: string;
  try {
    message = await workOf(run.ref.kind).cleanUp(run, object);
  } catch (error) {
    if (run.signal.aborted || !(await run.ctx.index.leases.check(run.lease))) throw error;
    const outcome = failed(error, { ...kind.retryPolicy(object, 0), reason: 'PruneFailed' }, run.ctx.random);
    return settle(run, kind, { object, outcome });
  }
  await recordEvent(run, object, deletedOutcome(message), kind.revision(object));
  await run.client.patch(refOf(object), 'merge', {
    metadata: {
      finalizers: finalizers.filter((finalizer) => finalizer !== FINALIZER),
      resourceVersion: object.metadata.resourceVersion,
    },
  });
  const [source, own] = [sourceKeyOf(run.ref, object), objectKey(run.ref)];
  if (source !== own) await leaveRollouts(run.ctx, run.job.cluster, source, own, GONE);
  await forget(run);
}

/**
 * Takes an object that no longer exists out of the index. What it had applied stays in the cluster: an object that vanished
 * without having been seen in deletion (its CRD was deleted, a backup restored) is no order to delete anything.
 */
export async function forget(run: Run): Promise<void> {
  const { ctx, job, ref } = run;
  const key = objectKey(ref);
  await Promise.all([
    ctx.index.dueTimes.clear(job.cluster, key),
    ctx.index.applied.remove(job.cluster, key),
    ctx.index.inputs.remove(job.cluster, key),
    ctx.index.subscriptions.remove(job.cluster, key),
    ctx.index.receivers.remove(job.cluster, key),
    ctx.index.rows.delete(clusterPartition('failures', job.cluster), key),
  ]);
  await leaveAsGuest(run, GONE);
  if (ref.group === IMAGE_GROUP) await forgetImage(ctx, job.cluster, key);
  if (ref.group === SOURCE_GROUP) await abandonRollouts(ctx, job.cluster, key);
  for await (const { key: blob } of ctx.blobs.list(artifactPrefix(job.cluster, ref)))
    await ctx.blobs.delete(blob);
  run.log.info('the object is gone and forgotten');
}

function deletedOutcome(message: string) {
  return {
    result: 'success' as const,
    ready: {
      type: 'Ready',
      status: 'True' as const,
      reason: 'ReconciliationSucceeded',
      message,
    },
    conditions: [],
    remove: [],
    requeueAfterMs: undefined,
    stalled: false,
  };
}
