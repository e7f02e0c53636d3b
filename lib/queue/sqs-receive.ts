import { ReceiveMessageCommand, type SQSClient } from '@aws-sdk/client-sqs';
import { fromSdk, type SqsRecord } from './sqs-message.ts';

/** SQS's longest wait of one request, in seconds. */
const MAX_WAIT_SECONDS = 20;

/** One request for messages, with all their attributes. Times in ms are rounded up to seconds. */
export async function receiveRecords(
  client: SQSClient,
  queueUrl: string,
  settings: { max: number; waitMs: number; visibilityMs: number },
  signal?: AbortSignal,
): Promise<SqsRecord[]> {
  const command = new ReceiveMessageCommand({
    QueueUrl: queueUrl,
    MaxNumberOfMessages: settings.max,
    WaitTimeSeconds: Math.min(Math.ceil(settings.waitMs / 1_000), MAX_WAIT_SECONDS),
    VisibilityTimeout: Math.ceil(settings.visibilityMs / 1_000),
    MessageSystemAttributeNames: ['All'],
    MessageAttributeNames: ['All'],
  });
  const { Messages: messages = [] } = await client.send(command, signal ? { abortSignal: signal } : {});
  return messages.map(fromSdk);
}
