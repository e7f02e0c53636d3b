import { isSuspended } from './change-reason.ts';
import type { Context } from './context.ts';
import { keyOf } from './object-key.ts';
import type { WithStatus } from './status.ts';

/**
 * Lets the webhook edge know which Receivers listen no more: those that are suspended, and those that vanished without having been seen in
 * deletion. Calls that come before are turned away by the worker, which looks at the object itself.
 * @param objects all Toolkit objects of the cluster
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
  for (const key of known) {
    const object = present.get(key);
    if (!object) await ctx.index.receivers.remove(cluster, key);
    else if (isSuspended(object))
      await ctx.index.receivers.setState(cluster, key, 'suspended', object.metadata.generation ?? 0);
  }
}
