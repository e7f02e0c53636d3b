import type { AwsJson } from '../cloud/aws-json.ts';
import { recordOf, type SqsRecord } from './sqs-message.ts';
import type { SqsMessage } from './sqs-types.ts';

/** SQS's longest wait of one request, in seconds. */
const MAX_WAIT_SECONDS = 20;

/** One request for messages, with all their attributes. Times in ms are rounded up to seconds. */
export async function receiveRecords(
  sqs: AwsJson,
  queueUrl: string,
  settings: { max: number; waitMs: number; visibilityMs: number },
  signal?: AbortSignal,
): Promise<SqsRecord[]> {
  const seconds = Math.min(Math.ceil(settings.waitMs / 1_000), MAX_WAIT_SECONDS);
  const input = {
    QueueUrl: queueUrl,
    MaxNumberOfMessages: settings.max,
    WaitTimeSeconds: seconds,
    VisibilityTimeout: Math.ceil(settings.visibilityMs / 1_000),
    MessageSystemAttributeNames: ['All'],
    MessageAttributeNames: ['All'],
  };
  const { Messages: messages = [] } = await sqs<{ Messages?: SqsMessage[] }>('ReceiveMessage', input, {
    waitMs: seconds * 1_000,
    signal,
  });
  return messages.map(recordOf);
}
