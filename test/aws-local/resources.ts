/** What stands in for AWS: SQS, S3 and DynamoDB on this machine, and in them what the stacks make for one installation. */
import process from 'node:process';
import { CreateQueueCommand, GetQueueAttributesCommand } from '@aws-sdk/client-sqs';
import { MAX_FORWARDS, MAX_RECEIVE_COUNT, QUEUES } from '../../functions/aws/environment.ts';
import { type Dynalite, startDynamoDb } from '../support/dynalite.ts';
import { type Fauxqs, startSqsAndS3 } from '../support/fauxqs.ts';

/** The servers. */
export interface AwsServers {
  fauxqs: Fauxqs;
  dynalite: Dynalite;
}

/** Variables of the environment that name what was made. */
export type Variables = Readonly<Record<string, string>>;

/** Longest run of a function in seconds, and so the time for which its queue hides messages. */
export const TIMEOUT_SECONDS = 900;

let servers: Promise<AwsServers> | undefined;

/** The servers of this process, started when first asked for; calls to AWS of this process go to them. */
export async function awsServers(): Promise<AwsServers> {
  servers ??= start();
  const started = await servers;
  const { fauxqs, dynalite } = started;
  // Once a test file, since after each the environment is set back; what the file puts in between itself stays.
  if (process.env.AWS_ENDPOINT_URL_S3 !== fauxqs.endpoint)
    Object.assign(process.env, {
      AWS_REGION: 'us-east-1',
      AWS_ACCESS_KEY_ID: 'test',
      AWS_SECRET_ACCESS_KEY: 'test',
      AWS_ENDPOINT_URL_SQS: fauxqs.endpoint,
      AWS_ENDPOINT_URL_S3: fauxqs.endpoint,
      AWS_ENDPOINT_URL_DYNAMODB: dynalite.endpoint,
    });
  return started;
}

async function start(): Promise<AwsServers> {
  const [fauxqs, dynalite] = await Promise.all([startSqsAndS3(), startDynamoDb()]);
  return { fauxqs, dynalite };
}

/**
 * Makes the queues, the table and the bucket of an installation.
 * @param name of the installation; no two of a process may share one
 * @returns what its functions are told by their environment, but for the fleet file
 */
export async function createResources(name: string, clusters: readonly string[]): Promise<Variables> {
  const { fauxqs, dynalite } = await awsServers();
  const { sqs } = fauxqs;
  const create = async (queue: string, attributes: Record<string, string>): Promise<string> => {
    const fifo: Record<string, string> = queue.endsWith('.fifo') ? { FifoQueue: 'true' } : {};
    const command = new CreateQueueCommand({
      QueueName: `${name}-${queue}`,
      Attributes: { ...fifo, ...attributes },
    });
    const { QueueUrl = '' } = await sqs.send(command);
    // The server names itself by a host that not every resolver knows.
    return `${fauxqs.endpoint}${new URL(QueueUrl).pathname}`;
  };
  const withDeadLetters = async (queue: string, dead: string) => {
    const url = await create(dead, {});
    const ask = new GetQueueAttributesCommand({ QueueUrl: url, AttributeNames: ['QueueArn'] });
    const deadLetterTargetArn = (await sqs.send(ask)).Attributes?.QueueArn;
    const maxReceiveCount = queue === QUEUES.delay ? MAX_FORWARDS : MAX_RECEIVE_COUNT;
    return create(queue, {
      VisibilityTimeout: String(TIMEOUT_SECONDS),
      RedrivePolicy: JSON.stringify({ deadLetterTargetArn, maxReceiveCount }),
    });
  };
  const push = await withDeadLetters(QUEUES.push, QUEUES.deadOf(QUEUES.push));
  await Promise.all([
    withDeadLetters(QUEUES.delay, QUEUES.delayDead),
    ...[QUEUES.notify, ...clusters.map((cluster) => QUEUES.cluster(cluster))].map((queue) =>
      withDeadLetters(queue, QUEUES.deadOf(queue)),
    ),
    dynalite.createTable(name),
    fauxqs.createBucket(name),
  ]);
  return {
    SLIPWAY_TABLE: name,
    SLIPWAY_BUCKET: name,
    SLIPWAY_QUEUES: push.slice(0, -QUEUES.push.length),
  };
}
