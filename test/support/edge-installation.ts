import { DeleteMessageCommand, ReceiveMessageCommand } from '@aws-sdk/client-sqs';
import { receivedOf, recordOf } from '../../lib/queue/sqs-message.ts';
import { dynamoTable } from '../../lib/store/dynamodb.ts';
import type { Table } from '../../lib/store/table.ts';
import { type AwsCall, startAwsProxy } from './aws-proxy.ts';
import { startDynamoDb } from './dynalite.ts';
import { type Fauxqs, startSqsAndS3 } from './fauxqs.ts';

/** What a Worker reaches of an installation on AWS, on this machine. */
export interface EdgeInstallation {
  /** The Worker's variables, without secrets of its fleet file. */
  variables: Record<string, string>;
  sqs: Fauxqs;
  /** The index. */
  rows: Table;
  /** What has been asked of DynamoDB. */
  calls: AwsCall[];
  /** All messages of a queue (`push`, `cluster-prod`), which is empty afterwards. */
  take(queue: string): Promise<ReturnType<typeof receivedOf>[]>;
  stop(): Promise<void>;
}

const TABLE = 'slipway';

/** Starts queues, a table and a bucket. */
export async function startEdgeInstallation(
  fleet: string,
  queues: readonly string[] = ['push'],
): Promise<EdgeInstallation> {
  const [sqs, dynamodb] = await Promise.all([startSqsAndS3(), startDynamoDb()]);
  const proxy = await startAwsProxy(dynamodb.endpoint);
  await dynamodb.createTable(TABLE);
  await sqs.createBucket('bucket');
  const urls = new Map<string, string>();
  for (const queue of queues) urls.set(queue, (await sqs.createQueues(`slipway-${queue}`, 5)).queueUrl);
  const { pathname } = new URL(urls.get('push') ?? '');

  async function take(queue: string): Promise<ReturnType<typeof receivedOf>[]> {
    const QueueUrl = urls.get(queue);
    const { Messages: messages = [] } = await sqs.sqs.send(
      new ReceiveMessageCommand({
        QueueUrl,
        MaxNumberOfMessages: 10,
        MessageSystemAttributeNames: ['All'],
        MessageAttributeNames: ['All'],
      }),
    );
    if (messages.length === 0) return [];
    for (const { ReceiptHandle } of messages)
      await sqs.sqs.send(new DeleteMessageCommand({ QueueUrl, ReceiptHandle }));
    // Of a group the next ones come when the first are done.
    return [...messages.map((message) => receivedOf(recordOf(message))), ...(await take(queue))];
  }

  return {
    variables: {
      SLIPWAY_FLEET: fleet,
      SLIPWAY_QUEUES: `${sqs.endpoint}${pathname.replace(/push\.fifo$/, '')}`,
      SLIPWAY_TABLE: TABLE,
      SLIPWAY_BUCKET: 'bucket',
      AWS_REGION: 'us-east-1',
      AWS_ACCESS_KEY_ID: 'test',
      AWS_SECRET_ACCESS_KEY: 'test',
      AWS_ENDPOINT_URL_DYNAMODB: proxy.url,
      AWS_ENDPOINT_URL_S3: sqs.endpoint,
    },
    sqs,
    rows: dynamoTable({ dynamodb: dynamodb.api, tableName: TABLE, name: 'index', now: Date.now }),
    calls: proxy.calls,
    take,
    async stop() {
      await proxy.stop();
      await Promise.all([sqs.stop(), dynamodb.stop()]);
    },
  };
}
