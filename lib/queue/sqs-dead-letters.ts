import type { AwsJson } from '../cloud/aws-json.ts';
import type { DeadLetter, ReceivedMessage } from './queue.ts';
import { receivedOf, receivesOf } from './sqs-message.ts';
import { receiveRecords } from './sqs-receive.ts';

/** How long dead letters are out of sight while they are looked at, in ms; they are put back at once after that. */
const LOOK_MS = 60_000;

/** Where dead letters are. */
export interface DeadLetterQueue {
  sqs: AwsJson;
  deadLetterQueueUrl: string;
}

/**
 * Looks at dead letters: takes them from their queue, has `visit` say which are to be removed, puts the others back. Of one
 * group SQS shows ten at most as long as none of them is removed.
 * @param limit how many to look at
 * @param visit resolves with true to remove the letter
 * @returns those looked at, oldest first
 */
export async function visitDeadLetters(
  { sqs, deadLetterQueueUrl }: DeadLetterQueue,
  limit: number,
  visit: (letter: ReceivedMessage) => Promise<boolean>,
): Promise<DeadLetter[]> {
  const kept: ReceivedMessage[] = [];
  const seen: DeadLetter[] = [];
  try {
    while (seen.length < limit) {
      const max = Math.min(10, limit - seen.length);
      const settings = { max, waitMs: 0, visibilityMs: LOOK_MS };
      const records = await receiveRecords(sqs, deadLetterQueueUrl, settings);
      if (records.length === 0) break;
      for (const record of records) {
        const letter = receivedOf(record);
        const { id, group, body, sentAt } = letter;
        // Of those that SQS itself gave up nobody knows it any more.
        seen.push({ id, group, body, sentAt, receiveCount: receivesOf(record) ?? 0 });
        kept.push(letter);
        if (!(await visit(letter))) continue;
        kept.pop();
        await sqs('DeleteMessage', { QueueUrl: deadLetterQueueUrl, ReceiptHandle: letter.receipt });
      }
    }
  } finally {
    await putBack(sqs, deadLetterQueueUrl, kept);
  }
  return seen.sort((left, right) => left.sentAt - right.sentAt);
}

async function putBack(sqs: AwsJson, queueUrl: string, letters: readonly ReceivedMessage[]): Promise<void> {
  // From the last to the first, so that those of one group are free in their order.
  for (const { receipt } of [...letters].reverse()) {
    await sqs('ChangeMessageVisibility', {
      QueueUrl: queueUrl,
      ReceiptHandle: receipt,
      VisibilityTimeout: 0,
    });
  }
}
