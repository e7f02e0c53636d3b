import { clusterPartition } from '../store/partitions.ts';
import type { ToolkitRef } from './object-key.ts';
import { objectKey } from './object-key.ts';
import type { Run } from './run.ts';

/** A push that an automation has made itself. */
interface OwnPush {
  /** Full hash. */
  commit: string;
  /** When the job for its source was sent, epoch in ms. */
  sentAt: number;
}

/** No run of a source takes longer. */
const KEEP_MS = 3_600_000;

/**
 * Notes that a job for a push of our own waits for its source: no webhook has announced it, and a run that only keeps the books for the push
 * before must be able to see that it is not the newest any more. Only once the job is sent, so that what ends early for it is always done.
 */
export async function noteOwnPush(run: Run, source: ToolkitRef, commit: string): Promise<void> {
  const { ctx, job } = run;
  const push: OwnPush = { commit, sentAt: ctx.now() };
  const expiresAt = ctx.now() + KEEP_MS;
  await ctx.index.rows.put(clusterPartition('own-push', job.cluster), objectKey(source), push, { expiresAt });
}

/** The last push of our own whose job was sent since a run of its source began; undefined when there is none. */
export async function ownPushSince({ ctx, job, ref, startedAt }: Run): Promise<string | undefined> {
  const row = await ctx.index.rows.get<OwnPush>(clusterPartition('own-push', job.cluster), objectKey(ref));
  return row && row.value.sentAt > startedAt ? row.value.commit : undefined;
}
