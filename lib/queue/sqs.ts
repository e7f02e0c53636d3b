import { AwsError } from '../cloud/aws-fault.ts';
import type { AwsJson } from '../cloud/aws-json.ts';
import { checkOutgoing, checkReceive, checkVisibility, MAX_FAILURES } from './limits.ts';
import type { Queue, ReceivedMessage, ReceiveOptions } from './queue.ts';
import { visitDeadLetters } from './sqs-dead-letters.ts';
import { deadEntry, delayEntry, envelopeOf, fifoEntry, receivedOf } from './sqs-message.ts';
import { receiveRecords } from './sqs-receive.ts';
import { sendEntries } from './sqs-send.ts';
import { SqsTries, type TriesTable } from './sqs-tries.ts';
import { realTimers, type Timers } from './timers.ts';

/** What a queue in SQS needs. */
export interface SqsQueueOptions {
  sqs: AwsJson;
  /** What delayed messages call the queue, so that the forwarder brings them back to it. */
  name: string;
  /**
   * The FIFO queue, whose redrive policy names the dead-letter queue and so high a `maxReceiveCount` that messages become dead letters by
   * {@link SqsTries} alone.
   */
  queueUrl: string;
  /** The FIFO dead-letter queue. */
  deadLetterQueueUrl: string;
  /** The standard queue for delayed messages, which `sqs-forward.ts` empties; SQS FIFO has no delay of single messages. */
  delayQueueUrl: string;
  /** How messages fared that gave trouble. */
  tries: TriesTable;
  /** A message whose handling failed so often becomes a dead letter. Default 5. */
  maxFailures?: number;
  /** Epoch in ms. */
  now: () => number;
  /** Default: the real ones. */
  timers?: Timers;
}

/** A queue in SQS FIFO. Times are rounded up to seconds, since SQS knows no shorter ones. */
export function sqsQueue(options: SqsQueueOptions): Queue {
  const { sqs, name, queueUrl, deadLetterQueueUrl, delayQueueUrl, now } = options;
  const { timers = realTimers, maxFailures = MAX_FAILURES } = options;
  const tries = new SqsTries(options.tries, now);
  const closing = new AbortController();
  /** Until when the messages that this process holds are hidden: SQS refuses late receipts, but not always. */
  const hiddenUntil = new Map<string, number>();

  /** One message: of one request SQS may hand out several of a group, and those must go one at a time. */
  async function receiveOne(visibilityMs: number, waitMs: number): Promise<ReceivedMessage[]> {
    const settings = { max: 1, waitMs, visibilityMs };
    const until = now() + Math.ceil(visibilityMs / 1_000) * 1_000;
    try {
      const messages = (await receiveRecords(sqs, queueUrl, settings, closing.signal)).map(receivedOf);
      for (const { receipt } of messages) hiddenUntil.set(receipt, until);
      return messages;
    } catch (error) {
      if (closing.signal.aborted) return [];
      throw error;
    }
  }

  /** More messages, in ever larger rounds until there are no more. */
  async function receiveMore(
    first: ReceivedMessage[],
    { max, visibilityMs }: ReceiveOptions,
  ): Promise<ReceivedMessage[]> {
    const messages = [...first];
    for (let round = 1; messages.length < max; round *= 2) {
      const size = Math.min(round, max - messages.length);
      const found = await Promise.allSettled(Array.from({ length: size }, () => receiveOne(visibilityMs, 0)));
      // What one request handed out must not be lost because another one failed.
      const more = found.flatMap((result) => (result.status === 'fulfilled' ? result.value : []));
      messages.push(...more);
      if (more.length < size) break;
    }
    return messages;
  }

  async function receive(receiveOptions: ReceiveOptions): Promise<ReceivedMessage[]> {
    const { waitMs, visibilityMs, signal } = receiveOptions;
    const until = now() + waitMs;
    for (;;) {
      if (signal?.aborted || closing.signal.aborted) return [];
      const first = await orAbandoned(receiveOne(visibilityMs, Math.max(until - now(), 0)), signal);
      if (first.length > 0) return receiveMore(first, receiveOptions);
      if (now() >= until) return [];
    }
  }

  /** The result, or nothing when the signal comes first; what is handed out to nobody then goes back. */
  function orAbandoned(
    receiving: Promise<ReceivedMessage[]>,
    signal?: AbortSignal,
  ): Promise<ReceivedMessage[]> {
    if (!signal) return receiving;
    return new Promise((resolve, reject) => {
      const abandon = () => {
        resolve([]);
        receiving
          .then((messages) => Promise.all(messages.map((message) => hide(message, 0))))
          .catch(() => undefined);
      };
      signal.addEventListener('abort', abandon, { once: true });
      receiving.then(resolve, reject).finally(() => signal.removeEventListener('abort', abandon));
    });
  }

  /** False when the receipt is out of date. */
  async function hide(message: ReceivedMessage, ms: number): Promise<boolean> {
    const { receipt } = message;
    if (isLate(receipt)) return false;
    const seconds = Math.ceil(ms / 1_000);
    const until = now() + seconds * 1_000;
    const command = { QueueUrl: queueUrl, ReceiptHandle: receipt, VisibilityTimeout: seconds };
    const held = await unlessLate(sqs('ChangeMessageVisibility', command));
    if (held && hiddenUntil.has(receipt)) hiddenUntil.set(receipt, until);
    return held;
  }

  function isLate(receipt: string): boolean {
    const until = hiddenUntil.get(receipt);
    return until !== undefined && until <= now();
  }

  function forgetLate(): void {
    for (const [receipt, until] of hiddenUntil) if (until + 3_600_000 < now()) hiddenUntil.delete(receipt);
  }

  /** Puts a message aside as a dead letter. Two of it, because the delete failed, are one for SQS. */
  async function giveUp(message: ReceivedMessage): Promise<void> {
    await sendEntries(sqs, deadLetterQueueUrl, [deadEntry(message)], timers);
    await remove(message);
  }

  async function remove({ receipt }: ReceivedMessage): Promise<void> {
    if (isLate(receipt)) return;
    await unlessLate(sqs('DeleteMessage', { QueueUrl: queueUrl, ReceiptHandle: receipt }));
    hiddenUntil.delete(receipt);
  }

  return {
    async send(messages) {
      checkOutgoing(messages);
      const time = now();
      const entries = messages.map((message, index) => {
        const envelope = envelopeOf(message, time);
        const { delayMs = 0 } = message;
        return delayMs > 0
          ? delayEntry(`${index}`, { ...envelope, queue: name }, delayMs)
          : fifoEntry(`${index}`, envelope);
      });
      const delayed = entries.filter(({ DelaySeconds }) => DelaySeconds !== undefined);
      const immediate = entries.filter(({ DelaySeconds }) => DelaySeconds === undefined);
      await Promise.all([
        sendEntries(sqs, queueUrl, immediate, timers),
        sendEntries(sqs, delayQueueUrl, delayed, timers),
      ]);
    },
    async receive(receiveOptions) {
      checkReceive(receiveOptions);
      forgetLate();
      return receive(receiveOptions);
    },
    async extend(message, visibilityMs) {
      checkVisibility(visibilityMs);
      if (await hide(message, visibilityMs)) return;
      throw new Error(
        `The receipt of message ${message.id} of group ${message.group} is out of date: its visibility timeout has passed.`,
      );
    },
    async admit(message) {
      const admission = await tries.admit(message);
      if (admission === 'begin') return admission;
      if (admission === 'later') {
        await hide(message, tries.apart(message));
        return admission;
      }
      await giveUp(message);
      return 'given up';
    },
    async acknowledge(message) {
      tries.done(message);
      await remove(message);
    },
    async fail(message, delayMs = 0) {
      // Whoever has it now says how it fares.
      if (isLate(message.receipt)) return tries.done(message);
      try {
        if ((await tries.failed(message)) >= maxFailures) return await giveUp(message);
      } catch (error) {
        await hide(message, delayMs);
        throw error;
      }
      await hide(message, delayMs);
    },
    async release(message, delayMs = 0) {
      try {
        await tries.returned(message);
      } finally {
        await hide(message, delayMs);
      }
    },
    deadLetters: (limit) => visitDeadLetters(options, limit, async () => false),
    async redrive(ids) {
      let count = 0;
      await visitDeadLetters(options, Number.POSITIVE_INFINITY, async (letter) => {
        if (ids && !ids.includes(letter.id)) return false;
        // The id is the letter's own: sent twice because the delete after it failed, it counts once.
        const envelope = envelopeOf({ ...letter, deduplicationId: `redrive/${letter.id}` }, now());
        await sendEntries(sqs, queueUrl, [fifoEntry('0', envelope)], timers);
        count += 1;
        return true;
      });
      return count;
    },
    async close() {
      closing.abort();
    },
  };
}

/** Codes of SQS's errors for a receipt whose message is gone or was handed to another receiver. */
const LATE = new Set([
  'MessageNotInflight',
  'ReceiptHandleIsInvalid',
  'InvalidParameterValue',
  'InvalidParameterValueException',
]);

async function unlessLate(sending: Promise<unknown>): Promise<boolean> {
  try {
    await sending;
    return true;
  } catch (error) {
    if (error instanceof AwsError && LATE.has(error.code.replace(/^.*\./, ''))) return false;
    throw error;
  }
}
