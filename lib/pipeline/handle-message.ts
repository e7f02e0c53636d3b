import { messageOf } from '../core/errors.ts';
import { Job } from '../core/job.ts';
import type { Queue, ReceivedMessage } from '../queue/queue.ts';
import { every } from '../queue/timers.ts';
import type { Core } from './context.ts';

/** What to do with a message that was handled: it is done, or somebody else is at the object and it must come again. */
export type Handled = 'done' | 'busy';

/** What handling a message needs. */
export type HandlingContext = Pick<Core, 'log' | 'newId' | 'signal' | 'timers'>;

/** Short, so that the jobs of a worker that died are soon with another; extended for as long as the work goes on. */
export const VISIBILITY_MS = 60_000;
const HEARTBEAT_MS = 20_000;
const BUSY_MS = 2_000;

/** How long a message rests after its handling failed. */
export const ERROR_MS = 5_000;

/**
 * Handles a message; it is kept hidden meanwhile, and acknowledged or given back afterwards. Never throws.
 * @returns whether it is done
 */
export async function handleMessage(
  ctx: HandlingContext,
  queue: Queue,
  message: ReceivedMessage,
  handle: (job: Job) => Promise<Handled>,
): Promise<boolean> {
  const stop = keepHidden(ctx, queue, new Set([message]));
  try {
    return await attempt(ctx, queue, message, handle);
  } finally {
    stop();
  }
}

/** Keeps messages hidden from others, those that stand in the set at each beat. @returns what ends it */
export function keepHidden(
  ctx: HandlingContext,
  queue: Queue,
  messages: ReadonlySet<ReceivedMessage>,
): () => void {
  const beat = () => {
    for (const message of messages)
      queue.extend(message, VISIBILITY_MS).catch((error: unknown) => {
        const { group } = message;
        ctx.log.warn({ error: messageOf(error), group }, 'the message could not be kept hidden');
      });
  };
  return every(HEARTBEAT_MS, beat, ctx.timers);
}

/** The handling itself, for whoever keeps the message hidden. @returns whether it is done */
export async function attempt(
  ctx: HandlingContext,
  queue: Queue,
  message: ReceivedMessage,
  handle: (job: Job) => Promise<Handled>,
): Promise<boolean> {
  const { group, receiveCount } = message;
  try {
    const admitted = await queue.admit(message);
    if (admitted === 'given up')
      ctx.log.error(
        { group, receiveCount },
        'a job was in hand at too many ends of a worker and is given up',
      );
    if (admitted !== 'begin') return admitted === 'given up';
    const handled = await handle(Job.parse(JSON.parse(message.body)));
    if (handled === 'busy') await sendAgain(ctx, queue, message, BUSY_MS);
    await queue.acknowledge(message);
    return true;
  } catch (error) {
    if (!ctx.signal.aborted) {
      ctx.log.error(
        { error: messageOf(error), stack: (error as Error).stack, group, receiveCount },
        'a job failed and is tried again',
      );
    }
    await (ctx.signal.aborted ? queue.release(message) : queue.fail(message, ERROR_MS)).catch(
      (fault: unknown) =>
        ctx.log.warn({ error: messageOf(fault), group }, 'it could not be said that a job failed'),
    );
    return false;
  }
}

/**
 * Sends the job of a message as a new one. Given back instead it would keep its group waiting. That is for jobs whose object another
 * worker is at (one that was paused may hold its lease for a minute).
 */
export function sendAgain(
  ctx: HandlingContext,
  queue: Queue,
  { group, body }: ReceivedMessage,
  delayMs = 0,
): Promise<void> {
  return queue.send([{ group, body, deduplicationId: ctx.newId(), delayMs }]);
}
