import { refOf } from '../core/object.ts';
import type { Context, Core } from './context.ts';
import { enqueue, reconcileJob } from './enqueue.ts';
import { objectKey } from './object-key.ts';
import { subscribe } from './subscribe.ts';
import { listToolkitObjects } from './sweep.ts';

/**
 * Rebuilds the index of a cluster from what stands in it: subscriptions anew, everything else forgotten and every object
 * sent to be reconciled in full. Nothing is deleted in the cluster; objects that are as they should be are not written.
 * @returns how many objects the cluster has
 */
export async function resync(ctx: Core & Pick<Context, 'cluster'>, name: string): Promise<number> {
  const objects = await listToolkitObjects(await ctx.cluster(name));
  await subscribe(ctx, name, objects);
  const known = [...(await ctx.index.dueTimes.all(name)).keys()];
  const keys = new Set([...known, ...objects.map((object) => objectKey(refOf(object)))]);
  for (const key of keys) {
    await ctx.index.applied.remove(name, key);
    await ctx.index.inputs.remove(name, key);
    await ctx.index.dueTimes.clear(name, key);
  }
  await enqueue(
    ctx,
    objects.map((object) => ({ job: reconcileJob(ctx, name, refOf(object), 'request') })),
  );
  return objects.length;
}
