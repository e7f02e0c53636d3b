import { messageOf } from '../core/errors.ts';
import type { Job } from '../core/job.ts';
import type { Queue, ReceivedMessage } from '../queue/queue.ts';
import type { Core } from './context.ts';
import {
  attempt,
  ERROR_MS,
  type Handled,
  type HandlingContext,
  keepHidden,
  VISIBILITY_MS,
} from './handle-message.ts';

/** What handling a batch needs. */
export type BatchContext = HandlingContext & Pick<Core, 'now' | 'endsAt'>;

/** How a batch is handled. */
export interface BatchOptions {
  handle: (job: Job) => Promise<Handled>;
}

/**
 * Handles messages that were handed out together, as a function on Lambda gets them: groups side by side, the messages of one group in
 * their order and no further than the first that fails. Never throws.
 *
 * The queue keeps them hidden for at least as long as the function may run; that is lowered and then extended as the work goes on, so
 * that the messages of a function that died come back soon. Each is acknowledged as soon as it is done, which frees its group for others
 * while the rest of the batch goes on.
 * @returns those that are not done; the queue hands them out again
 * @see https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-errorhandling.html
 */
export async function handleBatch(
  ctx: BatchContext,
  queue: Queue,
  messages: readonly ReceivedMessage[],
  options: BatchOptions,
): Promise<ReceivedMessage[]> {
  const open = new Set(messages);
  const stop = keepHidden(ctx, queue, open);
  try {
    await Promise.all(messages.map((message) => claim(ctx, queue, message, open)));
    const groups = [...Map.groupBy(open, ({ group }) => group).values()];
    const left = await Promise.all(groups.map((group) => handleGroup(ctx, queue, group, open, options)));
    const lost = messages.filter((message) => !groups.some((group) => group.includes(message)));
    return [...lost, ...left.flat()];
  } finally {
    stop();
  }
}

/** Lowers the time for which a message is hidden. One whose time had passed already is somebody else's by now. */
async function claim(
  ctx: BatchContext,
  queue: Queue,
  message: ReceivedMessage,
  open: Set<ReceivedMessage>,
): Promise<void> {
  try {
    await queue.extend(message, VISIBILITY_MS);
  } catch (error) {
    open.delete(message);
    ctx.log.warn({ error: messageOf(error), group: message.group }, 'the message came too late');
  }
}

/** The messages of one group. @returns those that are not done */
async function handleGroup(
  ctx: BatchContext,
  queue: Queue,
  messages: readonly ReceivedMessage[],
  open: Set<ReceivedMessage>,
  { handle }: BatchOptions,
): Promise<ReceivedMessage[]> {
  for (const [index, message] of messages.entries()) {
    const hasTime = !ctx.signal.aborted && (ctx.endsAt === undefined || ctx.now() < ctx.endsAt);
    const done = hasTime && (await attempt(ctx, queue, message, handle));
    open.delete(message);
    if (done) continue;
    const failed = hasTime ? [message] : [];
    const untried = messages.slice(index + failed.length);
    for (const one of untried) open.delete(one);
    return [...failed, ...(await giveBack(ctx, queue, untried))];
  }
  return [];
}

/** Gives back messages that were not tried, in their order. @returns them */
async function giveBack(
  ctx: BatchContext,
  queue: Queue,
  messages: readonly ReceivedMessage[],
): Promise<readonly ReceivedMessage[]> {
  for (const message of messages) {
    try {
      await queue.release(message, ctx.signal.aborted ? 0 : ERROR_MS);
    } catch (error) {
      ctx.log.warn({ error: messageOf(error), group: message.group }, 'a message could not be given back');
    }
  }
  return messages;
}
