/** A variable of the environment. */
interface Variable {
  what: string;
  /** What it is when it is not set; without one it has to be. */
  otherwise?: string | undefined;
  /** Whether a value can be one, and how that is said. Default: it is not empty. */
  is?: readonly [fits: RegExp, wording: string];
}

/**
 * What the functions on AWS are told by their environment. The stacks set it, `slipway worker` is given the same, and nothing
 * else is read from the environment but what every tool of AWS reads (region, credentials, `AWS_ENDPOINT_URL…`).
 */
const VARIABLES = {
  SLIPWAY_FLEET: {
    what: 'The fleet file: s3://BUCKET/KEY, ssm:/NAME, or a path beside the packaged functions.',
    otherwise: 'slipway.yaml',
  },
  SLIPWAY_TABLE: { what: 'Name of the DynamoDB table.' },
  SLIPWAY_BUCKET: { what: 'Name of the S3 bucket for artifacts.' },
  SLIPWAY_QUEUES: {
    what: 'What the URLs of all queues begin with, such as https://sqs.eu-west-1.amazonaws.com/123456789012/slipway-prod-.',
    is: [/^https?:\/\/[^/\s]+\/\S*$/, 'is no URL'],
  },
  SLIPWAY_CLUSTER: {
    what: 'The one cluster whose jobs are done; set for the reconcile function alone.',
    otherwise: undefined,
  },
  SLIPWAY_DIRECTORY: {
    what: 'For mirrors and temporary files; it may vanish between two invocations.',
    otherwise: '/tmp/slipway',
  },
  SLIPWAY_LOG_LEVEL: {
    what: 'What is logged.',
    otherwise: 'info',
    is: [/^(debug|info|warn|error)$/, 'is none of debug, info, warn and error'],
  },
} as const satisfies Record<string, Variable>;

/** The environment, read. */
export interface Environment {
  fleet: string;
  table: string;
  bucket: string;
  /** What the URL of every queue begins with. */
  queues: string;
  cluster: string | undefined;
  directory: string;
  logLevel: 'debug' | 'info' | 'warn' | 'error';
}

/**
 * Reads the environment.
 * @throws Error naming every variable that is missing or wrong, and what it is for
 */
export function readEnvironment(variables: Readonly<Record<string, string | undefined>>): Environment {
  const faults = Object.entries<Variable>(VARIABLES).flatMap(([name, variable]) => {
    const fault = faultOf(variables[name], variable);
    return fault === undefined ? [] : [`${name} ${fault}. ${variable.what}`];
  });
  if (faults.length > 0)
    throw new Error(`the environment does not name an installation on AWS:\n${faults.join('\n')}`);
  const read = (name: keyof typeof VARIABLES): string =>
    variables[name] ?? (VARIABLES[name] as Variable).otherwise ?? '';
  return {
    fleet: read('SLIPWAY_FLEET'),
    table: read('SLIPWAY_TABLE'),
    bucket: read('SLIPWAY_BUCKET'),
    queues: read('SLIPWAY_QUEUES'),
    cluster: variables.SLIPWAY_CLUSTER,
    directory: read('SLIPWAY_DIRECTORY'),
    logLevel: read('SLIPWAY_LOG_LEVEL') as Environment['logLevel'],
  };
}

function faultOf(value: string | undefined, variable: Variable): string | undefined {
  if (value === undefined) return 'otherwise' in variable ? undefined : 'is not set';
  const [fits, wording] = variable.is ?? [/./s, 'is empty'];
  return fits.test(value) ? undefined : wording;
}

/** SQS's limit of a queue's name, its ending included. */
const MAX_QUEUE_NAME = 80;

/**
 * The names of queues, without what stands before all of them. Every FIFO queue has a dead-letter queue beside it; one standard queue,
 * `delay`, holds messages back for all of them, since SQS FIFO knows no delay of a single message.
 */
export const QUEUES = {
  /** Verified pushes, a group for each repository and ref. Read by `fanout`. */
  push: 'push.fifo',
  /** Outboxes that have something to send, a group for each provider. Read by `notify`. */
  notify: 'notify.fifo',
  /** Messages that are held back. Read by `forward`. */
  delay: 'delay',
  /** What `forward` could not send on. */
  delayDead: 'delay-dead',
  /** Jobs of one cluster, a group for each object, and its sweeps. Read by that cluster's `reconcile`, or by `slipway worker`. */
  cluster: (name: string) => `cluster-${name}.fifo`,
  /** Where messages of a FIFO queue go that were handed out too often. */
  deadOf: (queue: string) => queue.replace(/\.fifo$/, '-dead.fifo'),
} as const;

/**
 * The URL of a queue.
 * @param queues what the URLs of all queues begin with
 * @throws Error when the name is longer than SQS allows
 */
export function queueUrl(queues: string, queue: string): string {
  const url = `${queues}${queue}`;
  const name = url.slice(url.lastIndexOf('/') + 1);
  if (name.length > MAX_QUEUE_NAME)
    throw new Error(
      `the queue ${name} has a name of ${name.length} characters, SQS allows ${MAX_QUEUE_NAME}: use a shorter stage or cluster name`,
    );
  return url;
}

/**
 * `maxReceiveCount` of the redrive policy of every FIFO queue, the most that SQS allows: it counts what is no failure too, such as the end of a
 * function, so messages are given up by `lib/queue/sqs-tries.ts`.
 */
export const MAX_RECEIVE_COUNT = 1_000;

/** That of the queue of held-back messages, which come each minute: what cannot be sent on for an hour, as to a queue that is gone. */
export const MAX_FORWARDS = 60;

/** Keys of objects in the bucket: `artifacts/<cluster>/…`, so that a role can be given one cluster's alone. */
export const ARTIFACTS = 'artifacts/';

/** What makes a function run. */
export type Trigger =
  | { kind: 'http'; paths: readonly string[] }
  | { kind: 'queue'; queue: string; batchSize: number }
  | { kind: 'schedule'; rate: string };

/** A function as it is deployed. Its handler is the export `handler` of `file`. */
export interface FunctionShape {
  file: string;
  trigger: Trigger;
  /** Longest run in seconds; a FIFO queue's own visibility timeout must not be shorter. */
  timeout: number;
  memory: number;
  /** It runs from the container image (engine and git inside), not from a bundle. */
  image?: true;
  /** One for each cluster, with `SLIPWAY_CLUSTER`. */
  perCluster?: true;
}

/** The functions: what `serverless.yml` deploys, and `npm run serve:aws-local` runs. All queue triggers report partial batch failures. */
export const FUNCTIONS = {
  webhook: {
    file: 'functions/webhook.ts',
    trigger: { kind: 'http', paths: ['/webhooks/{proxy+}', '/hook/{proxy+}', '/healthz', '/readyz'] },
    timeout: 29,
    memory: 512,
  },
  api: {
    file: 'functions/api.ts',
    trigger: { kind: 'http', paths: ['/', '/runs', '/runs/{proxy+}', '/{proxy+}'] },
    timeout: 29,
    memory: 512,
  },
  fanout: {
    file: 'functions/fanout.ts',
    trigger: { kind: 'queue', queue: QUEUES.push, batchSize: 10 },
    timeout: 120,
    memory: 512,
  },
  forward: {
    file: 'functions/forward.ts',
    trigger: { kind: 'queue', queue: QUEUES.delay, batchSize: 10 },
    timeout: 60,
    memory: 256,
  },
  notify: {
    file: 'functions/notify.ts',
    trigger: { kind: 'queue', queue: QUEUES.notify, batchSize: 10 },
    timeout: 300,
    memory: 512,
  },
  sweep: {
    file: 'functions/sweep.ts',
    trigger: { kind: 'schedule', rate: 'rate(1 minute)' },
    timeout: 60,
    memory: 512,
  },
  reconcile: {
    file: 'functions/reconcile.ts',
    trigger: { kind: 'queue', queue: 'cluster-<name>.fifo', batchSize: 10 },
    timeout: 900,
    memory: 2048,
    image: true,
    perCluster: true,
  },
} as const satisfies Record<string, FunctionShape>;
