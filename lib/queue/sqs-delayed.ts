import type { Queue } from './queue.ts';
import { type DeadLetterQueue, visitDeadLetters } from './sqs-dead-letters.ts';
import { type DelayedEnvelope, fifoEntry } from './sqs-message.ts';
import { sendEntries } from './sqs-send.ts';
import { realTimers, type Timers } from './timers.ts';

/** What the dead letters of the delay queue are reached by. */
export interface DelayedOptions extends DeadLetterQueue {
  /** The URL of a queue by the name that its messages carry. Throws for a name that no queue has. */
  queueUrl(name: string): string;
  /** Default: the real ones. */
  timers?: Timers;
}

/** The messages that were held back, for whatever queue, and that `forward` has given up. Sent again they go to their own queue. */
export function sqsDelayed(options: DelayedOptions): Pick<Queue, 'deadLetters' | 'redrive'> {
  const { sqs, queueUrl, timers = realTimers } = options;
  const envelopeOf = (body: string) => JSON.parse(body) as DelayedEnvelope;
  return {
    async deadLetters(limit) {
      const letters = await visitDeadLetters(options, limit, async () => false);
      return letters.map((letter) => {
        const { group, body, sentAt } = envelopeOf(letter.body);
        return { ...letter, group, body, sentAt };
      });
    },
    async redrive(ids) {
      let count = 0;
      await visitDeadLetters(options, Number.POSITIVE_INFINITY, async ({ id, body }) => {
        if (ids && !ids.includes(id)) return false;
        const envelope = envelopeOf(body);
        await sendEntries(sqs, queueUrl(envelope.queue), [fifoEntry('0', envelope)], timers);
        count += 1;
        return true;
      });
      return count;
    },
  };
}
