import type { SweepJob } from '../core/job.ts';
import { clusterPartition } from '../store/partitions.ts';
import type { Context } from './context.ts';
import { sweepSafely } from './sweep.ts';

/**
 * Sweeps a cluster, unless that was done since it was asked for: of the ticks that gathered while no worker ran, the first sweep answers
 * them all.
 */
export async function handleSweep(ctx: Context, { cluster, requestedAt }: SweepJob): Promise<void> {
  const partition = clusterPartition('swept', cluster);
  const last = await ctx.index.rows.get<number>(partition, 'began');
  if (last && last.value >= requestedAt) return;
  const began = ctx.now();
  if (await sweepSafely(ctx, cluster)) await ctx.index.rows.put(partition, 'began', began);
}
