import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import process from 'node:process';
import { DeleteMessageCommand, ReceiveMessageCommand } from '@aws-sdk/client-sqs';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { QUEUES, queueUrl, readEnvironment } from '../../functions/aws/environment.ts';
import { queueHandler } from '../../functions/aws/queue-event.ts';
import { openFanout } from '../../functions/fanout.ts';
import { openWebhook } from '../../functions/webhook.ts';
import { createLog } from '../../lib/log.ts';
import type { SqsRecord } from '../../lib/queue/sqs-message.ts';
import { awsServers, createResources } from '../aws-local/resources.ts';
import { type AwsFault, type AwsProxy, startAwsProxy } from '../support/aws-proxy.ts';
import { signedByGitHub } from '../support/signed-by-github.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';

const SECRET = 'the secret of the hook';

const DENIED = (action: string): AwsFault => ({
  status: 400,
  code: 'AccessDeniedException',
  message: `User: arn:aws:sts::123456789012:assumed-role/x/y is not authorized to perform: ${action}`,
});
const EXPIRED: AwsFault = {
  status: 403,
  code: 'ExpiredTokenException',
  message: 'The security token included in the request is expired',
};
/** What of it stands in logs, from which words that follow `token` are taken. */
const EXPIRED_TEXT = /security token .* expired/;
const THROTTLED: AwsFault = { status: 400, code: 'ThrottlingException', message: 'Rate exceeded' };

type Opened<T> = T extends Promise<infer O> ? O : never;

let directory: Awaited<ReturnType<typeof temporaryDirectory>>;
let sqs: AwsProxy;
let dynamodb: AwsProxy;
let webhook: Opened<ReturnType<typeof openWebhook>>;
let fanout: Opened<ReturnType<typeof openFanout>>;
let realQueues: string;
const lines: string[] = [];
let deliveries = 0;

beforeAll(async () => {
  directory = await temporaryDirectory();
  const servers = await awsServers();
  const made = await createResources('faults', ['prod']);
  realQueues = made.SLIPWAY_QUEUES ?? '';
  [sqs, dynamodb] = await Promise.all([
    startAwsProxy(servers.fauxqs.endpoint),
    startAwsProxy(servers.dynalite.endpoint),
  ]);
  Object.assign(process.env, {
    AWS_ENDPOINT_URL_SQS: sqs.url,
    AWS_ENDPOINT_URL_DYNAMODB: dynamodb.url,
    HUB_SECRET: SECRET,
  });
  const fleet = join(directory.path, 'slipway.yaml');
  await writeFile(
    fleet,
    'clusters: [{name: prod, kubeconfig: env:NONE, source: {url: https://github.com/acme/fleet.git, branch: main, path: ./}}]\nproviders: [{name: hub, type: github, webhookSecrets: [env:HUB_SECRET]}]\n',
  );
  const environment = readEnvironment({
    ...made,
    SLIPWAY_FLEET: fleet,
    SLIPWAY_QUEUES: `${sqs.url}${new URL(realQueues).pathname}`,
  });
  const log = createLog({
    level: 'info',
    format: 'json',
    write: (line) => void lines.push(line),
    now: Date.now,
  });
  webhook = await openWebhook(environment, log);
  fanout = await openFanout(environment, log);
});
afterEach(() => {
  sqs.fault = () => undefined;
  dynamodb.fault = () => undefined;
  sqs.calls.length = 0;
  lines.length = 0;
});
afterAll(async () => {
  await Promise.all([webhook?.close(), fanout?.close()]);
  await Promise.all([sqs?.stop(), dynamodb?.stop(), directory?.remove()]);
});

/** A delivery that can be sent again as it is. */
function push(): () => Promise<Response> {
  deliveries += 1;
  const repository = { full_name: 'acme/fleet', clone_url: 'https://github.com/acme/fleet.git' };
  const body = JSON.stringify({ ref: 'refs/heads/main', after: 'a'.repeat(40), repository });
  const request = signedByGitHub(body, `delivery-${deliveries}`, SECRET);
  return async () => webhook.app.request('/webhooks/github', request);
}

/** Takes what stands in a queue, as Lambda hands it to a function. */
async function take(queue: string): Promise<SqsRecord[]> {
  const { fauxqs } = await awsServers();
  const { Messages: messages = [] } = await fauxqs.sqs.send(
    new ReceiveMessageCommand({
      QueueUrl: queueUrl(realQueues, queue),
      MaxNumberOfMessages: 10,
      MessageSystemAttributeNames: ['All'],
      MessageAttributeNames: ['All'],
    }),
  );
  return messages.map(({ MessageId = '', ReceiptHandle = '', Body = '', Attributes, MessageAttributes }) => ({
    messageId: MessageId,
    receiptHandle: ReceiptHandle,
    body: Body,
    attributes: Attributes ?? {},
    messageAttributes: Object.fromEntries(
      Object.entries(MessageAttributes ?? {}).map(([name, { StringValue = '' }]) => [
        name,
        { stringValue: StringValue },
      ]),
    ),
  }));
}

/** What is taken is done, so that the next of its group can be. */
async function done(queue: string, records: readonly SqsRecord[]): Promise<void> {
  const { fauxqs } = await awsServers();
  const QueueUrl = queueUrl(realQueues, queue);
  for (const { receiptHandle } of records)
    await fauxqs.sqs.send(new DeleteMessageCommand({ QueueUrl, ReceiptHandle: receiptHandle }));
}

/** Answers so many calls of an operation with a fault, and lets the others through. */
function failing(
  operation: string,
  fault: AwsFault,
  times = Number.POSITIVE_INFINITY,
): (called: string) => AwsFault | undefined {
  let left = times;
  return (called) => {
    if (called !== operation || left === 0) return undefined;
    left -= 1;
    return fault;
  };
}

const FAULTS: [
  what: string,
  service: 'sqs' | 'dynamodb',
  operation: string,
  fault: AwsFault,
  said: RegExp,
][] = [
  [
    'it may not send',
    'sqs',
    'SendMessageBatch',
    DENIED('sqs:SendMessage'),
    /not authorized to perform: sqs:SendMessage/,
  ],
  ['its credential has expired', 'sqs', 'SendMessageBatch', EXPIRED, EXPIRED_TEXT],
  ['the queue throttles on and on', 'sqs', 'SendMessageBatch', THROTTLED, /Rate exceeded/],
  [
    'it may not read deliveries',
    'dynamodb',
    'GetItem',
    DENIED('dynamodb:GetItem'),
    /not authorized to perform: dynamodb:GetItem/,
  ],
  ['the table throttles on and on', 'dynamodb', 'GetItem', THROTTLED, /Rate exceeded/],
];

describe('a webhook on AWS', () => {
  it.each(FAULTS)(
    'is answered with 503 while %s, says why in the log alone, and is taken when it comes again',
    async (_what, service, operation, fault, said) => {
      const proxy = service === 'sqs' ? sqs : dynamodb;
      const deliver = push();
      proxy.fault = failing(operation, fault);
      const refused = await deliver();
      expect(refused.status).toBe(503);
      expect(refused.headers.get('retry-after')).toBe('30');
      expect(await refused.text()).not.toMatch(said);
      expect(lines.filter((line) => line.includes('could not be stored')).join('')).toMatch(said);
      expect(await take(QUEUES.push)).toEqual([]);

      proxy.fault = () => undefined;
      expect((await deliver()).status).toBe(202);
      const taken = await take(QUEUES.push);
      expect(taken).toHaveLength(1);
      await done(QUEUES.push, taken);
    },
  );
});

describe('a queue or table on AWS that throttles for a moment', () => {
  it.each(['sqs', 'dynamodb'] as const)('is asked again, and the webhook is taken: %s', async (service) => {
    const [proxy, operation] = service === 'sqs' ? [sqs, 'SendMessageBatch'] : [dynamodb, 'GetItem'];
    proxy.calls.length = 0;
    proxy.fault = failing(operation, THROTTLED, 2);
    expect((await push()()).status).toBe(202);
    expect(proxy.calls.filter((call) => call.operation === operation)).toHaveLength(3);
    const taken = await take(QUEUES.push);
    expect(taken).toHaveLength(1);
    await done(QUEUES.push, taken);
  });
});

describe('fan-out on AWS', () => {
  beforeAll(() =>
    fanout.ctx.index.subscriptions.put({
      cluster: 'prod',
      group: 'source.toolkit.fluxcd.io',
      kind: 'GitRepository',
      namespace: 'flux-system',
      name: 'flux-system',
      repository: 'github.com/acme/fleet',
      ref: { branch: 'main' },
    }),
  );

  it.each<[string, 'sqs' | 'dynamodb', RegExp, AwsFault, RegExp]>([
    [
      'it may not read who watches',
      'dynamodb',
      /^Query$/,
      DENIED('dynamodb:Query'),
      /not authorized to perform: dynamodb:Query/,
    ],
    [
      'it may not send jobs',
      'sqs',
      /^SendMessageBatch$/,
      DENIED('sqs:SendMessage'),
      /not authorized to perform: sqs:SendMessage/,
    ],
    ['its credential has expired', 'dynamodb', /./, EXPIRED, EXPIRED_TEXT],
    ['the table throttles on and on', 'dynamodb', /./, THROTTLED, /Rate exceeded/],
    ['the queue throttles on and on', 'sqs', /^SendMessageBatch$/, THROTTLED, /Rate exceeded/],
  ])(
    'gives a push back while %s, says so, and does it when it comes again',
    async (_what, service, operations, fault, said) => {
      const proxy = service === 'sqs' ? sqs : dynamodb;
      const invoke = queueHandler(async () => fanout);
      const invocation = { getRemainingTimeInMillis: () => 120_000 };
      expect((await push()()).status).toBe(202);
      const Records = await take(QUEUES.push);
      expect(Records).toHaveLength(1);
      lines.length = 0;

      proxy.fault = (called) => (operations.test(called) ? fault : undefined);
      const failed = await invoke({ Records }, invocation);
      expect(failed.batchItemFailures).toEqual([{ itemIdentifier: Records[0]?.messageId }]);
      expect(lines.join('')).toMatch(said);
      expect(await take(QUEUES.cluster('prod'))).toEqual([]);

      proxy.fault = () => undefined;
      expect((await invoke({ Records }, invocation)).batchItemFailures).toEqual([]);
      const jobs = await take(QUEUES.cluster('prod'));
      expect(jobs.map(({ body }) => body)).toEqual([expect.stringContaining('GitRepository')]);
      await done(QUEUES.cluster('prod'), jobs);
    },
  );
});
