import { clusterPartition } from '../store/partitions.ts';
import { objectKey } from './object-key.ts';
import type { Run } from './run.ts';

/**
 * A worker that was cut off may only be frozen. Most of what it sends when it wakes up is refused, since every write says what it expects
 * to meet; but one that creates an object meets nothing. So for a while after a run that was cut off, what is deleted stays in the
 * inventory, and is looked for once more.
 */
const LATE_MS = 60_000;

/** A run was cut off before this one: from now on its writes may come late. */
export async function expectLateWrites(run: Run): Promise<void> {
  const { rows } = run.ctx.index;
  const until = run.ctx.now() + LATE_MS;
  await rows.put(partitionOf(run), objectKey(run.ref), until, { expiresAt: until });
}

/** Until when late writes are expected, epoch in ms; undefined when none are. */
export async function lateWritesUntil(run: Run): Promise<number | undefined> {
  return (await run.ctx.index.rows.get<number>(partitionOf(run), objectKey(run.ref)))?.value;
}

function partitionOf(run: Run): string {
  return clusterPartition('late-writes', run.job.cluster);
}
