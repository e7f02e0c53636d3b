import type { ReconcileJob } from '../core/job.ts';
import type { Rollout } from '../store/rollouts.ts';
import type { Context } from './context.ts';
import { objectKey } from './object-key.ts';
import { report } from './report-rollout.ts';

/**
 * Says on the commits that wait for an object why it could not be reconciled at all (its cluster does not answer), since the object itself
 * cannot be written to. The next run that gets through takes it back.
 * @param message what is wrong, without secrets
 */
export async function tellUnreachable(ctx: Context, job: ReconcileJob, message: string): Promise<void> {
  const key = objectKey(job);
  const result = { state: 'failed', message, runId: '' } as const;
  const { rollouts } = ctx.index;
  if (job.commit !== undefined) {
    const pushed = await rollouts.get(job.cluster, key, job.commit);
    if (!pushed) return;
    await rollouts.settle(pushed, key, result);
    return report(ctx, pushed);
  }
  for (const rollout of await waitingFor(ctx, job.cluster, key)) {
    const change = await rollouts.settle(rollout, key, result, { only: 'pending' });
    if (change) await report(ctx, rollout);
  }
}

/** The rollouts that have not ended and that the object may be a member of: what its spec says of its source cannot be read now. */
async function waitingFor(ctx: Context, cluster: string, key: string): Promise<Rollout[]> {
  const { guests, rollouts, subscriptions } = ctx.index;
  const sources = (await subscriptions.of(cluster)).map(objectKey);
  const open = (await Promise.all(sources.map((source) => rollouts.unfinished(cluster, source)))).flat();
  const invited = await Promise.all(
    (await guests.of(cluster, key)).map((guest) => rollouts.get(cluster, guest.source, guest.commit)),
  );
  return [...open, ...invited].filter((rollout) => rollout?.supersededBy === '') as Rollout[];
}
