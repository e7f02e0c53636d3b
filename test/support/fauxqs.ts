import { CreateBucketCommand, S3Client } from '@aws-sdk/client-s3';
import { CreateQueueCommand, GetQueueAttributesCommand, SQSClient } from '@aws-sdk/client-sqs';
import { startFauxqs } from 'fauxqs';
import { type AwsApi, createAwsApi } from '../../lib/cloud/aws-api.ts';
import { type AwsJson, sqsApi } from '../../lib/cloud/aws-json.ts';

/** A server that speaks SQS and S3, in this process: a faked `Date` steers its queues. */
export interface Fauxqs {
  endpoint: string;
  /** AWS's own client, which is independent of Slipway's. */
  sqs: SQSClient;
  s3: S3Client;
  /** Slipway's client of SQS, pointed at the server. */
  api: AwsJson;
  /** What that client and the one of S3 send by. */
  aws: AwsApi;
  /** A FIFO queue with its dead-letter and delay queues. */
  createQueues(name: string, maxReceiveCount: number): Promise<QueueUrls>;
  createBucket(name: string): Promise<void>;
  stop(): Promise<void>;
}

/** The queues behind one queue of Slipway. */
export interface QueueUrls {
  name: string;
  queueUrl: string;
  deadLetterQueueUrl: string;
  delayQueueUrl: string;
}

const SETTINGS = {
  region: 'us-east-1',
  credentials: { accessKeyId: 'test', secretAccessKey: 'test' },
};

/** Starts the server on a free port. */
export async function startSqsAndS3(): Promise<Fauxqs> {
  const server = await startFauxqs({ port: 0, logger: false });
  const endpoint = `http://127.0.0.1:${server.port}`;
  const { region, credentials } = SETTINGS;
  const aws = createAwsApi({
    region,
    credentials: async () => credentials,
    endpoint: () => endpoint,
    now: Date.now,
  });
  const sqs = new SQSClient({ ...SETTINGS, endpoint, useQueueUrlAsEndpoint: false });
  const s3 = new S3Client({ ...SETTINGS, endpoint, forcePathStyle: true });

  async function createQueue(QueueName: string, Attributes: Record<string, string>): Promise<string> {
    const { QueueUrl = '' } = await sqs.send(new CreateQueueCommand({ QueueName, Attributes }));
    return QueueUrl;
  }

  return {
    endpoint,
    sqs,
    s3,
    api: sqsApi(async () => aws),
    aws,
    async createQueues(name, maxReceiveCount) {
      const deadLetterQueueUrl = await createQueue(`${name}-dead.fifo`, { FifoQueue: 'true' });
      const attributes = await sqs.send(
        new GetQueueAttributesCommand({ QueueUrl: deadLetterQueueUrl, AttributeNames: ['QueueArn'] }),
      );
      const deadLetterTargetArn = attributes.Attributes?.QueueArn;
      const RedrivePolicy = JSON.stringify({ deadLetterTargetArn, maxReceiveCount });
      return {
        name,
        queueUrl: await createQueue(`${name}.fifo`, { FifoQueue: 'true', RedrivePolicy }),
        deadLetterQueueUrl,
        delayQueueUrl: await createQueue(`${name}-delay`, {}),
      };
    },
    async createBucket(name) {
      await s3.send(new CreateBucketCommand({ Bucket: name }));
    },
    async stop() {
      sqs.destroy();
      s3.destroy();
      await server.stop();
    },
  };
}
