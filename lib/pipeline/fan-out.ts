import type { PushJob } from '../core/job.ts';
import { newestInRange, parseRange } from '../core/version-range.ts';
import type { Subscription } from '../store/subscriptions.ts';
import { announceRollout } from './announce-rollout.ts';
import type { Core } from './context.ts';
import { enqueue, reconcileJob } from './enqueue.ts';

/**
 * Turns a push into one job for every source object, in every cluster, that watches its repository and ref. Holds no
 * credential of any cluster. A push nobody watches ends here.
 */
export async function fanOut(ctx: Core, push: PushJob): Promise<void> {
  const found = await Promise.all(
    push.repositories.map((repository) => ctx.index.subscriptions.find(repository)),
  );
  const unique = new Map(
    found
      .flat()
      .map((subscription) => [
        `${subscription.cluster}/${subscription.namespace}/${subscription.name}`,
        subscription,
      ]),
  );
  const concerned = [...unique.values()].filter((subscription) => watches(subscription, push));
  const log = ctx.log.child({
    push: push.origin.id,
    project: push.project,
    ref: push.ref,
    commit: push.commit,
  });
  if (concerned.length === 0) {
    log.info('no source watches this ref');
    return;
  }
  const branch = push.ref.startsWith('refs/heads/');
  await announceRollout(ctx, push, concerned);
  await enqueue(
    ctx,
    concerned.map((subscription) => ({
      job: reconcileJob(ctx, subscription.cluster, subscription, 'push', {
        origin: push.origin,
        ...(branch && push.commit !== '' ? { commit: push.commit, pushedAt: push.receivedAt } : {}),
      }),
    })),
  );
  log.info({ sources: concerned.length }, 'fanned out');
}

const TAGS = 'refs/tags/';

/** Whether a push to this ref can change what the source object's ref points at. */
export function watches(subscription: Pick<Subscription, 'ref'>, push: Pick<PushJob, 'ref'>): boolean {
  const { commit, name, semver, tag, branch } = subscription.ref;
  // A pinned commit never moves, whatever is pushed to its branch.
  if (commit) return false;
  if (name) return push.ref === name.replace(/\^\{\}$/, '');
  if (semver) return isTagInRange(push.ref, semver);
  if (tag) return push.ref === `refs/tags/${tag}`;
  return push.ref === `refs/heads/${branch || 'master'}`;
}

/** A tag out of the range can neither come to be the newest one in it nor have been that. */
function isTagInRange(ref: string, range: string): boolean {
  const test = parseRange(range);
  if (!test || !ref.startsWith(TAGS)) return false;
  return newestInRange([ref.slice(TAGS.length)], test) !== undefined;
}
