import { messageOf } from '../core/errors.ts';
import { Job } from '../core/job.ts';
import type { Queue, ReceivedMessage } from '../queue/queue.ts';
import type { Context } from './context.ts';

/** What to do with a message that was handled: it is done, or somebody else is at the object and it must come again. */
export type Handled = 'done' | 'busy';

/** Short, so that the jobs of a worker that died are soon with another; extended for as long as the work goes on. */
const VISIBILITY_MS = 60_000;
const HEARTBEAT_MS = 20_000;
const WAIT_MS = 10_000;
const BUSY_MS = 2_000;
const ERROR_MS = 5_000;

/** So many jobs more are taken, as a part of `concurrency`, when one namespace fills that: of others than it. */
const FOR_OTHERS = 0.25;

/**
 * Takes jobs from a queue and handles up to `concurrency` of one namespace at a time, and a few more of others, until the context's
 * signal aborts; then waits for those under way. A handler that throws gives its message back: the queue hands it out again, and after too many times
 * puts it aside as a dead letter, while the others go on.
 */
export async function work(
  ctx: Context,
  queue: Queue,
  concurrency: number,
  handle: (job: Job) => Promise<Handled>,
): Promise<void> {
  const running = new Set<Promise<void>>();
  const slots = concurrency + Math.ceil(concurrency * FOR_OTHERS);
  while (!ctx.signal.aborted) {
    if (running.size >= slots) {
      await Promise.race(running);
      continue;
    }
    const messages = await receive(ctx, queue, Math.min(10, slots - running.size), concurrency);
    for (const message of messages) {
      const task = handleMessage(ctx, queue, message, handle).finally(() => running.delete(task));
      running.add(task);
    }
  }
  await Promise.all(running);
}

async function receive(ctx: Context, queue: Queue, max: number, share: number): Promise<ReceivedMessage[]> {
  const { signal } = ctx;
  try {
    return await queue.receive({ max, share, waitMs: WAIT_MS, visibilityMs: VISIBILITY_MS, signal });
  } catch (error) {
    if (ctx.signal.aborted) return [];
    ctx.log.error({ error: messageOf(error) }, 'no jobs could be received; trying again');
    await ctx.sleep(ERROR_MS, ctx.signal).catch(() => undefined);
    return [];
  }
}

async function handleMessage(
  ctx: Context,
  queue: Queue,
  message: ReceivedMessage,
  handle: (job: Job) => Promise<Handled>,
): Promise<void> {
  const heart = setInterval(() => {
    queue.extend(message, VISIBILITY_MS).catch((error: unknown) => {
      ctx.log.warn({ error: messageOf(error), group: message.group }, 'the message could not be kept hidden');
    });
  }, HEARTBEAT_MS);
  try {
    const handled = await handle(Job.parse(JSON.parse(message.body)));
    if (handled === 'busy') await sendAgain(ctx, queue, message);
    await queue.acknowledge(message);
  } catch (error) {
    if (!ctx.signal.aborted) {
      const { group, receiveCount } = message;
      ctx.log.error(
        { error: messageOf(error), stack: (error as Error).stack, group, receiveCount },
        'a job failed and is tried again',
      );
    }
    await queue.release(message, ctx.signal.aborted ? 0 : ERROR_MS).catch(() => undefined);
  } finally {
    clearInterval(heart);
  }
}

/**
 * Another worker is at the object (one that was paused may hold its lease for a minute). The job comes again as a new message: given
 * back it would count as failed, and soon end as a dead letter.
 */
function sendAgain(ctx: Context, queue: Queue, { group, body }: ReceivedMessage): Promise<void> {
  return queue.send([{ group, body, deduplicationId: ctx.newId(), delayMs: BUSY_MS }]);
}
