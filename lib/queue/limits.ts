import type { OutgoingMessage, ReceiveOptions } from './queue.ts';

/** How long a deduplication id is remembered, in ms. https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/FIFO-queues-exactly-once-processing.html */
export const DEDUPLICATION_MS = 300_000;

/** Longest delay of a message, in ms: SQS's `DelaySeconds` ends at 900. */
export const MAX_DELAY_MS = 900_000;

/** Largest body in bytes of UTF-8. */
export const MAX_BODY_BYTES = 256 * 1_024;

/** A message whose handling failed so often becomes a dead letter. */
export const MAX_FAILURES = 5;

/** Longest visibility timeout, in ms: 12 hours, as in SQS. */
export const MAX_VISIBILITY_MS = 12 * 3_600_000;

/**
 * Refuses what one of the implementations could not keep, before anything is sent.
 * @throws Error naming the group and the limit
 */
export function checkOutgoing(messages: readonly OutgoingMessage[]): void {
  for (const { group, deduplicationId, body, delayMs = 0 } of messages) {
    if (group === '')
      throw new Error('A message has an empty group: give it one, such as the object it is for.');
    const where = `The message for group "${group}"`;
    if (deduplicationId === '') throw new Error(`${where} has an empty deduplication id.`);
    const bytes = Buffer.byteLength(body);
    if (body === '') throw new Error(`${where} has an empty body.`);
    if (bytes > MAX_BODY_BYTES) {
      throw new Error(
        `${where} has ${bytes} bytes; at most ${MAX_BODY_BYTES} fit: store the payload and send its key.`,
      );
    }
    if (!(delayMs >= 0 && delayMs <= MAX_DELAY_MS)) {
      throw new Error(`${where} has a delay of ${delayMs} ms; it must be 0 to ${MAX_DELAY_MS}.`);
    }
  }
}

/** @throws Error when an option of a receive is out of its range */
export function checkReceive({ max, waitMs, visibilityMs }: ReceiveOptions): void {
  if (!Number.isInteger(max) || max < 1 || max > 10)
    throw new Error(`receive: max is ${max}; it must be 1 to 10.`);
  if (!(waitMs >= 0)) throw new Error(`receive: waitMs is ${waitMs}; it must not be negative.`);
  checkVisibility(visibilityMs);
}

/** @throws Error when a visibility timeout is out of its range */
export function checkVisibility(visibilityMs: number): void {
  if (!(visibilityMs > 0 && visibilityMs <= MAX_VISIBILITY_MS)) {
    throw new Error(`The visibility timeout is ${visibilityMs} ms; it must be 1 to ${MAX_VISIBILITY_MS}.`);
  }
}
