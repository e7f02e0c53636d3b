import type { HookJob } from '../core/job.ts';
import type { Context, Edge } from './context.ts';
import { enqueue } from './enqueue.ts';

/** A request larger than this does not travel in the message: queues take 256 KiB at most. In bytes of JSON. */
const MAX_INLINE_BYTES = 128 * 1024;

/** Sends the job of a call; a large request is put into the blobs before. Resolves once both are durable. */
export async function sendHook(ctx: Edge, job: HookJob): Promise<void> {
  const { request, ...rest } = job;
  const bytes = Buffer.from(JSON.stringify(request ?? null));
  if (request === undefined || bytes.byteLength <= MAX_INLINE_BYTES) return enqueue(ctx, [{ job }]);
  const requestBlob = `hooks/${job.cluster}/${job.origin.id}.json`;
  await ctx.blobs.put(requestBlob, bytes);
  await enqueue(ctx, [{ job: { ...rest, requestBlob } }]);
}

/** The request of a call. @returns undefined when it was dropped already, since the call is done */
export async function requestOf(
  ctx: Pick<Context, 'blobs'>,
  job: HookJob,
): Promise<{ value: unknown } | undefined> {
  if (job.requestBlob === undefined) return { value: job.request ?? {} };
  const bytes = await ctx.blobs.get(job.requestBlob);
  return bytes && { value: JSON.parse(Buffer.from(bytes).toString()) as unknown };
}

/** Deletes what was put aside for a call, once it is done. */
export async function dropRequest(ctx: Pick<Context, 'blobs'>, job: HookJob): Promise<void> {
  if (job.requestBlob !== undefined) await ctx.blobs.delete(job.requestBlob);
}
