import type { ReconcileJob } from '../core/job.ts';
import type { Context } from './context.ts';
import { objectKey } from './object-key.ts';
import { report } from './report-rollout.ts';

/**
 * Says on the pushed commit that its source could not be reconciled at all (its cluster does not answer), since the object itself
 * cannot be written to. The next run that gets through takes it back.
 * @param message what is wrong, without secrets
 */
export async function failSource(ctx: Context, job: ReconcileJob, message: string): Promise<void> {
  if (job.commit === undefined) return;
  const key = objectKey(job);
  const rollout = await ctx.index.rollouts.get(job.cluster, key, job.commit);
  if (!rollout) return;
  await ctx.index.rollouts.settle(rollout, key, { state: 'failed', message, runId: '' });
  await report(ctx, rollout);
}
