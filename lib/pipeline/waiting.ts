import { clusterPartition } from '../store/partitions.ts';
import type { Context } from './context.ts';
import { enqueue, reconcileJob } from './enqueue.ts';
import type { ToolkitRef } from './object-key.ts';
import { objectKey } from './object-key.ts';

/** Who waits for whom is forgotten after a day; the sweep and `retryInterval` bring a forgotten waiter back. */
const KEEP_MS = 24 * 3_600_000;

/** Notes that `waiter` wants to run as soon as `awaited` has become ready. */
export async function waitFor(
  ctx: Context,
  cluster: string,
  waiter: ToolkitRef,
  awaited: ToolkitRef,
): Promise<void> {
  await ctx.index.rows.put(partitionOf(cluster, awaited), objectKey(waiter), waiter, {
    expiresAt: ctx.now() + KEEP_MS,
  });
}

/** The same for many at once; by key of the waiter. */
export async function waitForAll(
  ctx: Context,
  cluster: string,
  waiting: ReadonlyMap<string, { waiter: ToolkitRef; awaited: ToolkitRef }>,
): Promise<void> {
  const expiresAt = ctx.now() + KEEP_MS;
  await ctx.index.rows.batch(
    [...waiting].map(([sort, { waiter, awaited }]) => ({
      put: { partition: partitionOf(cluster, awaited), sort, value: waiter, expiresAt },
    })),
  );
}

/** Sends what waited for an object on its way, at once. A crash in between sends it twice, never not at all. */
export async function releaseWaiting(ctx: Context, cluster: string, ready: ToolkitRef): Promise<void> {
  const partition = partitionOf(cluster, ready);
  const rows = await ctx.index.rows.query<ToolkitRef>(partition);
  if (rows.length === 0) return;
  await enqueue(
    ctx,
    rows.map(({ value }) => ({ job: reconcileJob(ctx, cluster, value, 'dependency') })),
  );
  // Only the rows that were read: a waiter that wrote its row again meanwhile has a newer version and stays.
  await Promise.all(
    rows.map(({ sort, version }) => ctx.index.rows.delete(partition, sort, { ifVersion: version })),
  );
}

function partitionOf(cluster: string, awaited: ToolkitRef): string {
  return clusterPartition('waiting', cluster, objectKey(awaited));
}
