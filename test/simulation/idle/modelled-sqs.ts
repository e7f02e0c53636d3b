import type { AwsJson } from '../../../lib/cloud/aws-json.ts';
import { recordOf, type SqsRecord } from '../../../lib/queue/sqs-message.ts';
import type { SqsEntry } from '../../../lib/queue/sqs-types.ts';

interface Message {
  entry: SqsEntry;
  receipt: string;
  /** Epoch in ms before which it is handed out to nobody. */
  hiddenUntil: number;
}

/** Is told of every request: its operation and the queue. */
export type OnRequest = (operation: string, queueUrl: string) => void;

/**
 * SQS without faults, as Slipway's client and Lambda's pollers see it: FIFO groups, delays of single messages, receipts. A message comes
 * once and is never lost; what happens otherwise is the subject of other tests.
 */
export class ModelledSqs {
  readonly #queues = new Map<string, Message[]>();
  #receipts = 0;

  /** The operations that a function sends. */
  api(now: () => number, onRequest: OnRequest): AwsJson {
    return async <T>(operation: string, input: object): Promise<T> => {
      const { QueueUrl: url } = input as { QueueUrl: string };
      onRequest(operation, url);
      if (operation === 'SendMessageBatch')
        this.#send(url, (input as { Entries: SqsEntry[] }).Entries, now());
      else {
        const { ReceiptHandle: receipt, VisibilityTimeout: seconds } = input as {
          ReceiptHandle: string;
          VisibilityTimeout?: number;
        };
        const message = this.#of(url).find((each) => each.receipt === receipt);
        if (operation === 'ChangeMessageVisibility' && message && seconds !== undefined)
          message.hiddenUntil = now() + seconds * 1_000;
        else if (operation === 'DeleteMessage') this.delete(url, receipt);
        else throw new Error(`the model knows no ${operation} of that message`);
      }
      return {} as T;
    };
  }

  /** Up to `max` messages that are free, the first of each group. */
  receive(url: string, max: number, now: number): SqsRecord[] {
    const busy = new Set<string>();
    const taken: Message[] = [];
    for (const message of this.#of(url)) {
      const { MessageGroupId: group } = message.entry;
      const isFree = message.hiddenUntil <= now && (group === undefined || !busy.has(group));
      if (group !== undefined) busy.add(group);
      if (isFree && taken.length < max) taken.push(message);
    }
    return taken.map((message) => {
      this.#receipts += 1;
      message.receipt = `receipt-${this.#receipts}`;
      message.hiddenUntil = now + 900_000;
      const { Id: _, ...entry } = message.entry;
      return recordOf({
        MessageId: message.receipt,
        ReceiptHandle: message.receipt,
        Body: entry.MessageBody,
        Attributes: { ApproximateReceiveCount: '1', MessageGroupId: entry.MessageGroupId ?? '' },
        MessageAttributes: entry.MessageAttributes,
      });
    });
  }

  /** When a message of a queue is free: epoch in ms, or infinity. */
  nextAt(url: string): number {
    return Math.min(Number.POSITIVE_INFINITY, ...this.#of(url).map(({ hiddenUntil }) => hiddenUntil));
  }

  delete(url: string, receipt: string): void {
    const messages = this.#of(url);
    const index = messages.findIndex((each) => each.receipt === receipt);
    if (index >= 0) messages.splice(index, 1);
  }

  #send(url: string, entries: readonly SqsEntry[], now: number): void {
    for (const entry of entries)
      this.#of(url).push({ entry, receipt: '', hiddenUntil: now + (entry.DelaySeconds ?? 0) * 1_000 });
  }

  #of(url: string): Message[] {
    const messages = this.#queues.get(url) ?? [];
    this.#queues.set(url, messages);
    return messages;
  }
}
