import type { AwsJson } from '../cloud/aws-json.ts';
import { delayedEnvelope, fifoEntry, type SqsRecord } from './sqs-message.ts';
import { receiveRecords } from './sqs-receive.ts';
import { sendEntries } from './sqs-send.ts';
import { realTimers, type Timers } from './timers.ts';

/** What a forwarder needs. */
export interface ForwarderOptions {
  sqs: AwsJson;
  /** The standard queue that holds messages back. */
  delayQueueUrl: string;
  /** The URL of a queue by the name that its messages carry. Throws for a name that no queue has. */
  queueUrl(name: string): string;
  /** Default: the real ones. */
  timers?: Timers;
}

/** A message of the delay queue, as far as it is looked at. */
export type DelayedRecord = Pick<SqsRecord, 'messageId' | 'body' | 'messageAttributes'>;

/** Brings messages that were held back into the line of their queue, once they are due. */
export interface Forwarder {
  /**
   * Sends messages on: the whole work of the function that reads the delay queue. One that comes twice is sent once, since its
   * deduplication id travels with it.
   * @returns the ids of those that could not be sent, with the reason
   */
  forward(records: readonly DelayedRecord[]): Promise<Map<string, unknown>>;
  /** Takes due messages from the delay queue and sends them on, where no function does. Returns how many were taken. */
  forwardDue(options: { waitMs: number; signal?: AbortSignal }): Promise<number>;
}

/** How long a message that could not be sent on stays hidden, in ms. */
const VISIBILITY_MS = 60_000;

/** Makes the forwarder of a delay queue. */
export function sqsForwarder(options: ForwarderOptions): Forwarder {
  const { sqs, delayQueueUrl, timers = realTimers } = options;

  async function forwardOne(record: DelayedRecord): Promise<void> {
    const envelope = delayedEnvelope(record);
    await sendEntries(sqs, options.queueUrl(envelope.queue), [fifoEntry('0', envelope)], timers);
  }

  async function forward(records: readonly DelayedRecord[]): Promise<Map<string, unknown>> {
    const failed = new Map<string, unknown>();
    // One request each: of messages for several queues a batch would have one message anyway, and one fault stays with its message.
    await Promise.all(
      records.map((record) =>
        forwardOne(record).catch((error: unknown) => void failed.set(record.messageId, error)),
      ),
    );
    return failed;
  }

  return {
    forward,
    async forwardDue({ waitMs, signal }) {
      const settings = { max: 10, waitMs, visibilityMs: VISIBILITY_MS };
      const records = await receiveRecords(sqs, delayQueueUrl, settings, signal);
      const failed = await forward(records);
      await Promise.all(
        records
          .filter(({ messageId }) => !failed.has(messageId))
          .map(({ receiptHandle }) =>
            sqs('DeleteMessage', { QueueUrl: delayQueueUrl, ReceiptHandle: receiptHandle }),
          ),
      );
      const [error] = failed.values();
      if (error !== undefined) throw error;
      return records.length;
    },
  };
}
