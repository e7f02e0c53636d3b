import { FUNCTIONS } from '../../functions/aws/environment.ts';
import { type Counted, combine, type FunctionName } from '../../test/simulation/idle/meter.ts';
import type { Priced, Prices } from './prices.ts';

/** Of the stacks; a test counts them in the templates. */
export const ALARMS = { core: 22, cluster: 4 };

/** The webhook's secret and the provider's token; and of each cluster its kubeconfig. */
const SECRETS = { core: 2, cluster: 1 };

/**
 * How often Lambda asks an empty queue: by five long polls of 20 seconds at a time. With little to do it may go down to two, but not where a
 * maximum concurrency is set, as it is in the stacks.
 * @see https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-scaling.html
 */
const POLLS_A_MINUTE = 5 * 3;

/** Queues that are polled: pushes, statuses, and one for each cluster; and the one that holds messages back. */
const POLLED = { fifo: 2, standard: 1 };

/** What Lambda itself logs of an invocation, in bytes. */
const LOG_BYTES = 400;

const DAYS = 30;

/** A line of the bill of a month. */
export interface Item {
  name: string;
  price: Priced;
  /** In the unit of its price. */
  quantity: number;
  /** Whether the quantity counts requests. */
  isRequest: boolean;
}

/** What a month comes to. */
export interface Month {
  clusters: number;
  items: (Item & { usd: number })[];
  requests: number;
  usd: number;
}

/** Days of the same fleet, simulated with no cluster and with some. */
export interface Sample {
  none: Counted;
  some: Counted;
  /** How many clusters `some` is of. */
  clusters: number;
}

/**
 * A day of any number of clusters. What clusters share is what a day without any takes; the rest grows with their number, which
 * `test/simulation/idle/idle-day.test.ts` holds against a simulated day of more.
 */
export function dayOf({ none, some, clusters: sampled }: Sample, clusters: number): Counted {
  return combine([none, some], (shared = 0, all = 0) => shared + ((all - shared) / sampled) * clusters);
}

/** The bill of a month of such days. */
export function idleMonth(day: Counted, clusters: number, prices: Prices): Month {
  const functions = Object.entries(day.functions) as [FunctionName, { invocations: number; ms: number }][];
  const invocations = functions.reduce((sum, [, each]) => sum + each.invocations, 0);
  const gigabyteSeconds = functions.reduce(
    (sum, [name, { ms }]) => sum + (ms / 1_000) * (FUNCTIONS[name].memory / 1_024),
    0,
  );
  const polls = 24 * 60 * POLLS_A_MINUTE;
  const request = (name: string, price: Priced, daily: number): Item => ({
    name,
    price,
    quantity: daily * DAYS,
    isRequest: true,
  });
  const other = (name: string, price: Priced, quantity: number): Item => ({
    name,
    price,
    quantity,
    isRequest: false,
  });
  const items: Item[] = [
    request('SQS: Lambda polls FIFO queues', 'sqsFifo', (POLLED.fifo + clusters) * polls),
    request('SQS: Lambda polls the delay queue', 'sqsStandard', POLLED.standard * polls),
    request('SQS: jobs, FIFO', 'sqsFifo', day.sqsFifo),
    request('SQS: jobs held back', 'sqsStandard', day.sqsStandard),
    request('DynamoDB: read units', 'dynamoReads', day.table.reads),
    request('DynamoDB: write units', 'dynamoWrites', day.table.writes),
    request('S3: reads', 's3Reads', day.s3Reads),
    request('S3: writes', 's3Writes', day.s3Writes),
    request('Secrets Manager: reads', 'secretReads', day.secretReads),
    request('API Gateway: requests', 'apiRequests', 0),
    request('Lambda: invocations', 'lambdaRequests', invocations),
    other('Lambda: GB-seconds', 'lambdaSeconds', gigabyteSeconds * DAYS),
    other('CloudWatch: GB of logs', 'logs', ((day.logBytes + invocations * LOG_BYTES) * DAYS) / 1e9),
    other('CloudWatch: alarms', 'alarms', ALARMS.core + clusters * ALARMS.cluster),
    other('Secrets Manager: secrets', 'secrets', SECRETS.core + clusters * SECRETS.cluster),
  ];
  const priced = items.map((item) => ({ ...item, usd: item.quantity * prices.usd[item.price].usd }));
  return {
    clusters,
    items: priced,
    requests: priced.reduce((sum, { quantity, isRequest }) => sum + (isRequest ? quantity : 0), 0),
    usd: priced.reduce((sum, { usd }) => sum + usd, 0),
  };
}
