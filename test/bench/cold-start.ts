import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ReceiveMessageCommand } from '@aws-sdk/client-sqs';
import { bundleFunctions } from '../../infra/aws/bundle.ts';
import { PACKAGED_FLEET, ROOT } from '../../infra/aws/package-stacks.ts';
import { packFleet } from '../../lib/fleet/pack-fleet.ts';
import { startDynamoDb } from '../support/dynalite.ts';
import { startSqsAndS3 } from '../support/fauxqs.ts';
import { signedPush } from '../support/signed-push.ts';
import { type Figure, figure, percentile } from './report.ts';
import { resultOf } from './result-of.ts';
import { SECRET } from './secret.ts';

const TIMES = 11;

/** How long one start took, and what of it was its own work. */
interface Start {
  ms: number;
  cpuMs: number;
}

/**
 * A fresh process of Node with the bundled webhook function, from its start until it has answered a signed push. SQS and DynamoDB are spoken to in plain
 * HTTP here; what TLS adds on AWS is not in the figure.
 */
export async function coldStart(): Promise<Figure[]> {
  const directory = await mkdtemp(join(tmpdir(), 'slipway-cold-'));
  const [sqs, dynamodb] = await Promise.all([startSqsAndS3(), startDynamoDb()]);
  try {
    const [bundle] = await bundleFunctions(ROOT, directory, ['webhook']);
    await dynamodb.createTable('slipway');
    const { queueUrl } = await sqs.createQueues('slipway-push', 5);
    const fleet = join(directory, PACKAGED_FLEET);
    await writeFile(
      fleet,
      packFleet(
        'providers: [{name: tea, type: gitea, url: https://git.example.com, webhookSecrets: [env:WEBHOOK_SECRET]}]\n',
      ),
    );
    const program = join(directory, 'invoke.mjs');
    await writeFile(
      program,
      `const { readFileSync } = process.getBuiltinModule('node:fs');
       const { handler } = await import('./webhook/index.mjs');
       const answer = await handler(JSON.parse(readFileSync(process.argv[2])), { getRemainingTimeInMillis: () => 29_000 });
       const { user, system } = process.cpuUsage();
       process.stdout.write(JSON.stringify([answer.statusCode, (user + system) / 1_000]), () => process.exit());`,
    );
    const events: string[] = [];
    for (let index = 0; index < TIMES; index += 1) {
      const event = join(directory, `event-${index}.json`);
      await writeFile(event, JSON.stringify(eventOf(`delivery-${index}`)));
      events.push(event);
    }
    const starts = await resultOf<Start[]>('cold-start-process.ts', {
      program,
      events,
      directory,
      env: {
        SLIPWAY_TABLE: 'slipway',
        SLIPWAY_BUCKET: 'slipway',
        SLIPWAY_QUEUES: `${sqs.endpoint}${new URL(queueUrl).pathname.replace(/push\.fifo$/, '')}`,
        SLIPWAY_FLEET: fleet,
        WEBHOOK_SECRET: SECRET,
        AWS_REGION: 'us-east-1',
        AWS_ACCESS_KEY_ID: 'test',
        AWS_SECRET_ACCESS_KEY: 'test',
        AWS_ENDPOINT_URL_SQS: sqs.endpoint,
        AWS_ENDPOINT_URL_DYNAMODB: dynamodb.endpoint,
      },
    });
    const times = starts.map(({ ms }) => ms);
    const busy = starts.map(({ cpuMs }) => cpuMs);
    const { Messages: messages = [] } = await sqs.sqs.send(new ReceiveMessageCommand({ QueueUrl: queueUrl }));
    if (messages.length === 0) throw new Error('the webhook was answered, and no push stands in the queue');
    const median = percentile(times, 0.5);
    const notes = [
      `${Math.round(percentile(busy, 0.5))} ms of CPU`,
      `slowest ${Math.round(Math.max(...times))} ms of ${TIMES}`,
      `${Math.round((bundle?.startBytes ?? 0) / 1_000)} KB loaded`,
    ];
    return [figure('webhook-cold-start', median, 'ms', 150, 'the bar', 1, notes)];
  } finally {
    await Promise.all([sqs.stop(), dynamodb.stop()]);
    await rm(directory, { recursive: true, force: true });
  }
}

/** A push as the HTTP API hands it to the function. */
function eventOf(delivery: string): unknown {
  const { headers, body } = signedPush(
    'https://git.example.com/acme/fleet.git',
    '1'.repeat(40),
    delivery,
    SECRET,
  );
  return {
    version: '2.0',
    rawPath: '/webhooks/gitea',
    rawQueryString: '',
    headers,
    requestContext: { domainName: 'localhost', http: { method: 'POST', path: '/webhooks/gitea' } },
    body,
    isBase64Encoded: false,
  };
}
