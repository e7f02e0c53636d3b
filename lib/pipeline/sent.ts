import { clusterPartition } from '../store/partitions.ts';
import type { Context } from './context.ts';

/** Which objects a sweep has sent lately, and for what cause. */
export interface Sent {
  /** Whether the object was sent for this very cause less than `withinMs` ago: its job is still on its way. */
  has(key: string, cause: string, withinMs: number): boolean;
  /** Remembers what was sent now, with what is young enough of before. */
  remember(entries: ReadonlyMap<string, string>): Promise<void>;
}

type Entries = Record<string, [cause: string, at: number]>;

/** A job that was sent and has not run by then is sent again; a second one finds nothing to do. */
export const RESEND_MS = 5 * 60_000;

/** More than this are not remembered: the row must stay far below DynamoDB's 400 KB. What is not is sent twice, which does no harm. */
const MAX_ENTRIES = 2_000;

/** The only row of its partition. */
const SORT = 'sent';

/** Reads what the last sweeps of a cluster have sent. */
export async function loadSent(ctx: Context, cluster: string): Promise<Sent> {
  const partition = clusterPartition('sweep-sent', cluster);
  const entries = (await ctx.index.rows.get<Entries>(partition, SORT))?.value ?? {};
  const now = ctx.now();
  return {
    has(key, cause, withinMs) {
      const entry = entries[key];
      return entry !== undefined && entry[0] === cause && now - entry[1] < withinMs;
    },
    async remember(sent) {
      if (sent.size === 0) return;
      const young = Object.entries(entries).filter(([key, [, at]]) => now - at < RESEND_MS && !sent.has(key));
      const all = [...[...sent].map(([key, cause]) => [key, [cause, now]] as const), ...young];
      await ctx.index.rows.put(partition, SORT, Object.fromEntries(all.slice(0, MAX_ENTRIES)));
    },
  };
}
