import { clusterPartition } from '../store/partitions.ts';
import type { Context } from './context.ts';

/** An approval that nobody used is void after a week. */
const KEEP_MS = 7 * 24 * 3_600_000;

/** Allows the deletions that the render with this digest asks for, for one object (`slipway approve`). */
export async function approve(
  ctx: Pick<Context, 'index' | 'now'>,
  cluster: string,
  key: string,
  digest: string,
): Promise<void> {
  await ctx.index.rows.put(clusterPartition('approval', cluster), key, digest, {
    expiresAt: ctx.now() + KEEP_MS,
  });
}

/** The digest that is approved for an object, or undefined. */
export async function approvalOf(
  ctx: Pick<Context, 'index'>,
  cluster: string,
  key: string,
): Promise<string | undefined> {
  return (await ctx.index.rows.get<string>(clusterPartition('approval', cluster), key))?.value;
}
