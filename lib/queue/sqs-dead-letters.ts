import {
  ChangeMessageVisibilityCommand,
  DeleteMessageCommand,
  ReceiveMessageCommand,
  type SQSClient,
} from '@aws-sdk/client-sqs';
import type { DeadLetter, ReceivedMessage } from './queue.ts';
import { fromSdk, receivedOf } from './sqs-message.ts';

/** How long dead letters are out of sight while they are looked at, in seconds; they are put back at once after that. */
const LOOK_SECONDS = 60;

/** Where dead letters are, and what they died of. */
export interface DeadLetterQueue {
  client: SQSClient;
  deadLetterQueueUrl: string;
  maxReceiveCount: number;
}

/**
 * Looks at dead letters: takes them from their queue, has `visit` say which are to be removed, puts the others back. Of one
 * group SQS shows ten at most as long as none of them is removed.
 * @param limit how many to look at
 * @param visit resolves with true to remove the letter
 * @returns those looked at, oldest first
 */
export async function visitDeadLetters(
  { client, deadLetterQueueUrl, maxReceiveCount }: DeadLetterQueue,
  limit: number,
  visit: (letter: ReceivedMessage) => Promise<boolean>,
): Promise<DeadLetter[]> {
  const kept: ReceivedMessage[] = [];
  const seen: ReceivedMessage[] = [];
  try {
    while (seen.length < limit) {
      const { Messages: messages = [] } = await client.send(
        new ReceiveMessageCommand({
          QueueUrl: deadLetterQueueUrl,
          MaxNumberOfMessages: Math.min(10, limit - seen.length),
          WaitTimeSeconds: 0,
          VisibilityTimeout: LOOK_SECONDS,
          MessageSystemAttributeNames: ['All'],
          MessageAttributeNames: ['All'],
        }),
      );
      if (messages.length === 0) break;
      for (const message of messages) {
        const letter = receivedOf(fromSdk(message));
        seen.push(letter);
        kept.push(letter);
        if (!(await visit(letter))) continue;
        kept.pop();
        await client.send(
          new DeleteMessageCommand({ QueueUrl: deadLetterQueueUrl, ReceiptHandle: letter.receipt }),
        );
      }
    }
  } finally {
    await putBack(client, deadLetterQueueUrl, kept);
  }
  return seen
    .map(({ id, group, body, sentAt }) => ({ id, group, body, sentAt, receiveCount: maxReceiveCount }))
    .sort((left, right) => left.sentAt - right.sentAt);
}

async function putBack(
  client: SQSClient,
  queueUrl: string,
  letters: readonly ReceivedMessage[],
): Promise<void> {
  // From the last to the first, so that those of one group are free in their order.
  for (const { receipt } of [...letters].reverse()) {
    await client.send(
      new ChangeMessageVisibilityCommand({
        QueueUrl: queueUrl,
        ReceiptHandle: receipt,
        VisibilityTimeout: 0,
      }),
    );
  }
}
