import { isSuspended } from './change-reason.ts';
import type { Context } from './context.ts';
import { enqueue, reconcileJob } from './enqueue.ts';
import { keyOf } from './object-key.ts';
import type { WithStatus } from './status.ts';

const GROUP = 'notification.toolkit.fluxcd.io';

/**
 * Sees to it that the webhook edge knows which Receivers listen no more: those that are suspended, and those that vanished without having
 * been seen in deletion. Calls that come before are turned away by the worker, which looks at the object itself.
 * @param objects all Toolkit objects of the cluster, a moment ago
 */
export async function closeReceivers(
  ctx: Context,
  cluster: string,
  objects: readonly WithStatus[],
): Promise<void> {
  const known = await ctx.index.receivers.keysOf(cluster);
  if (known.length === 0) return;
  const present = new Map(
    objects.filter(({ kind }) => kind === 'Receiver').map((object) => [keyOf(object), object]),
  );
  for (const object of present.values()) {
    if (!isSuspended(object)) continue;
    await ctx.index.receivers.setState(cluster, keyOf(object), 'suspended', object.metadata.generation ?? 0);
  }
  // One that is missing may be younger than the list: its own run looks, alone with it, and forgets it if it is gone.
  const missing = known.filter((key) => !present.has(key));
  await enqueue(
    ctx,
    missing.map((key) => {
      const [kind = '', namespace = '', name = ''] = key.split('/');
      return { job: reconcileJob(ctx, cluster, { group: GROUP, kind, namespace, name }, 'sweep') };
    }),
  );
}
