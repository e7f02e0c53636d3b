import type { PushJob } from '../core/job.ts';
import type { Rollout } from '../store/rollouts.ts';
import type { Subscription } from '../store/subscriptions.ts';
import { isRoot } from '../toolkit/bootstrap.ts';
import type { Core } from './context.ts';
import { objectKey } from './object-key.ts';
import { report } from './report-rollout.ts';

/**
 * Opens rollouts for a push, so that its commit shows `pending` before anything was fetched. A source that has never fetched from
 * the repository has no say in what its commits show: anybody who may make a source could name any URL.
 */
export async function announceRollout(
  ctx: Core,
  push: PushJob,
  subscriptions: readonly Subscription[],
): Promise<void> {
  const provider = ctx.providers.find(({ name }) => name === push.provider);
  if (!provider || push.commit === '') return;
  await Promise.all(
    subscriptions.map(async (subscription) => {
      const source = objectKey(subscription);
      const rollout: Rollout = {
        cluster: subscription.cluster,
        source,
        commit: push.commit,
        destination: provider.name,
        project: push.project,
        startedAt: ctx.now(),
        supersededBy: '',
      };
      const sent = () => ctx.index.rollouts.sent(subscription.cluster, source);
      if (!isRoot(subscription) && (await sent())?.repository !== subscription.repository) return;
      await ctx.index.rollouts.open(rollout);
      // A commit that comes again (A → B → A) is to be rolled out again; one that is there already stays green. What was sent is noted before
      // the source is settled, so that of several deliveries at once none makes it pending again.
      await ctx.index.rollouts.add(rollout, [source], {
        again: async () => (await sent())?.commit !== push.commit,
      });
      await report(ctx, rollout);
    }),
  );
}
