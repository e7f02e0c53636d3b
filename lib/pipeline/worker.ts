import { messageOf } from '../core/errors.ts';
import type { Job } from '../core/job.ts';
import type { Queue, ReceivedMessage } from '../queue/queue.ts';
import type { Context } from './context.ts';
import { ERROR_MS, type Handled, handleMessage, VISIBILITY_MS } from './handle-message.ts';

const WAIT_MS = 10_000;

/** So many jobs more are taken, as a part of `concurrency`, when one namespace fills that: of others than it. */
const FOR_OTHERS = 0.25;

/**
 * Takes jobs from a queue and handles up to `concurrency` of one namespace at a time, and a few more of others, until the context's
 * signal aborts; then waits for those under way. A handler that throws gives its message back: the queue hands it out again, and after too many times
 * puts it aside as a dead letter, while the others go on.
 * @param taking ends the taking of jobs alone, where those under way are to go on
 */
export async function work(
  ctx: Context,
  queue: Queue,
  concurrency: number,
  handle: (job: Job) => Promise<Handled>,
  taking: AbortSignal = ctx.signal,
): Promise<void> {
  const running = new Set<Promise<unknown>>();
  const slots = concurrency + Math.ceil(concurrency * FOR_OTHERS);
  while (!taking.aborted && !ctx.signal.aborted) {
    if (running.size >= slots) {
      await Promise.race(running);
      continue;
    }
    const free = Math.min(10, slots - running.size);
    const messages = await receive(ctx, queue, { max: free, share: concurrency, signal: taking });
    for (const message of messages) {
      const task = handleMessage(ctx, queue, message, handle).finally(() => running.delete(task));
      running.add(task);
    }
  }
  await Promise.all(running);
}

async function receive(
  ctx: Context,
  queue: Queue,
  options: { max: number; share: number; signal: AbortSignal },
): Promise<ReceivedMessage[]> {
  const { signal } = options;
  try {
    return await queue.receive({ ...options, waitMs: WAIT_MS, visibilityMs: VISIBILITY_MS });
  } catch (error) {
    if (signal.aborted) return [];
    ctx.log.error({ error: messageOf(error) }, 'no jobs could be received; trying again');
    await ctx.sleep(ERROR_MS, signal).catch(() => undefined);
    return [];
  }
}
