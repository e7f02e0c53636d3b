import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import process from 'node:process';
import { ReceiveMessageCommand } from '@aws-sdk/client-sqs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { QUEUES, readEnvironment } from '../../functions/aws/environment.ts';
import { queueHandler } from '../../functions/aws/queue-event.ts';
import { openFanout } from '../../functions/fanout.ts';
import type { ImageJob, PushJob } from '../../lib/core/job.ts';
import { silentLog } from '../../lib/log.ts';
import { MAX_FAILURES } from '../../lib/queue/limits.ts';
import type { Rollout } from '../../lib/store/rollouts.ts';
import { imageSubscription } from '../../lib/store/subscriptions.ts';
import { awsServers, createResources } from '../aws-local/resources.ts';
import { type AwsProxy, startAwsProxy, usesOf } from '../support/aws-proxy.ts';
import { allows, type Statement, statementsOf } from '../support/iam.ts';
import { packagedStacks, queue, TABLE } from '../support/packaged-stacks.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';

const { core } = await packagedStacks();
const NAME = 'rights-used';
const SOURCE = 'GitRepository/flux-system/flux-system';

let directory: Awaited<ReturnType<typeof temporaryDirectory>>;
/** Of the queues, up to their own names. */
let pathname: string;
let sqs: AwsProxy;
let dynamodb: AwsProxy;
let fanout: Awaited<ReturnType<typeof openFanout>>;

beforeAll(async () => {
  directory = await temporaryDirectory();
  const servers = await awsServers();
  const made = await createResources(NAME, ['production']);
  [sqs, dynamodb] = await Promise.all([
    startAwsProxy(servers.fauxqs.endpoint),
    startAwsProxy(servers.dynalite.endpoint),
  ]);
  Object.assign(process.env, { AWS_ENDPOINT_URL_SQS: sqs.url, AWS_ENDPOINT_URL_DYNAMODB: dynamodb.url });
  const fleet = join(directory.path, 'slipway.yaml');
  await writeFile(
    fleet,
    `clusters: [{name: production, kubeconfig: env:NONE, source: {url: https://github.com/acme/fleet.git, branch: main, path: ./}}]
providers: [{name: hub, type: github, webhookSecrets: [env:NONE]}]
statuses: {objects: all}
`,
  );
  pathname = new URL(made.SLIPWAY_QUEUES ?? '').pathname;
  fanout = await openFanout(
    readEnvironment({ ...made, SLIPWAY_FLEET: fleet, SLIPWAY_QUEUES: `${sqs.url}${pathname}` }),
    silentLog,
  );
});
afterAll(async () => {
  await fanout?.close();
  await Promise.all([sqs?.stop(), dynamodb?.stop(), directory?.remove()]);
});

function push(commit: string): PushJob {
  return {
    type: 'push',
    provider: 'hub',
    repositories: ['github.com/acme/fleet'],
    project: 'acme/fleet',
    ref: 'refs/heads/main',
    commit,
    origin: { id: 'o', commit },
    receivedAt: 1,
  };
}

/** The kinds of rows (`index#rollout`) that a role may touch. */
function grantedKinds(statements: readonly Statement[]): string[] {
  const keys = statements.flatMap(
    ({ conditions }) => conditions['ForAllValues:StringLike']?.['dynamodb:LeadingKeys'] ?? [],
  );
  return [...new Set(keys.map(kindOf))].sort();
}

function kindOf(partition: string): string {
  return partition.split('#').slice(0, 2).join('#');
}

describe('fan-out', () => {
  const statements = statementsOf(core, 'FanoutRole');

  beforeAll(async () => {
    const { index, now } = fanout.ctx;
    const at = { cluster: 'production', namespace: 'flux-system' };
    await index.subscriptions.put({
      ...at,
      group: 'source.toolkit.fluxcd.io',
      kind: 'GitRepository',
      name: 'flux-system',
      repository: 'github.com/acme/fleet',
      ref: { branch: 'main' },
    });
    await index.subscriptions.put({
      ...at,
      group: 'image.toolkit.fluxcd.io',
      kind: 'ImageRepository',
      name: 'app',
      repository: imageSubscription('registry.example.com/acme/app'),
      ref: {},
    });
    const rollout: Rollout = {
      cluster: 'production',
      source: SOURCE,
      commit: 'b'.repeat(40),
      destination: 'hub',
      project: 'acme/fleet',
      startedAt: now(),
      supersededBy: '',
    };
    // A rollout with a guest of another source, one that failed, and one that is done: what runs in the cluster have left.
    await index.rollouts.open(rollout);
    await index.rollouts.add(rollout, [SOURCE, 'Kustomization/apps/shop', 'GitRepository/apps/shop']);
    for (const key of [SOURCE, 'Kustomization/apps/shop', 'GitRepository/apps/shop'])
      await index.rollouts.settle(rollout, key, { state: 'ready', message: '', runId: 'r' });
    await index.guests.invite('production', [
      {
        key: 'GitRepository/apps/shop',
        ref: { group: 'source.toolkit.fluxcd.io', kind: 'GitRepository', namespace: 'apps', name: 'shop' },
        source: SOURCE,
        commit: 'b'.repeat(40),
        writer: 'Kustomization/flux-system/flux-system',
        uid: 'u',
        generation: 1,
      },
    ]);
    await index.rollouts.setSent('production', SOURCE, {
      commit: 'b'.repeat(40),
      digest: 'd',
      repository: 'github.com/acme/fleet',
    });
    sqs.calls.length = 0;
    dynamodb.calls.length = 0;
    const image: ImageJob = {
      type: 'image',
      images: ['registry.example.com/acme/app'],
      tag: '1.0.0',
      origin: { id: 'i' },
      receivedAt: 1,
    } as ImageJob;
    // A commit that is new, one that is rolled out already, one that comes back, and an image.
    for (const commit of ['a', 'b', 'a']) await fanout.handle(fanout.ctx, push(commit.repeat(40)));
    await fanout.handle(fanout.ctx, image);
    await giveUp();
  });

  /** Two pushes of a group, of which the first cannot be read, until it is given up. */
  async function giveUp(): Promise<void> {
    const { push: pushes } = fanout.ctx.queues;
    const readable = JSON.stringify(push('c'.repeat(40)));
    // The server that stands in for SQS hands out one of a group at a time, where Lambda gets several.
    for (const [deduplicationId, body] of Object.entries({ one: '{}', two: readable }))
      await pushes.send([{ group: deduplicationId, deduplicationId, body }]);
    const { fauxqs } = await awsServers();
    const QueueUrl = `${fauxqs.endpoint}${pathname}${QUEUES.push}`;
    const taken = await fauxqs.sqs.send(
      new ReceiveMessageCommand({ QueueUrl, MaxNumberOfMessages: 10, MessageSystemAttributeNames: ['All'] }),
    );
    const Records = (taken.Messages ?? []).map(
      ({ MessageId = '', ReceiptHandle = '', Body = '', Attributes }) => ({
        messageId: MessageId,
        receiptHandle: ReceiptHandle,
        body: Body,
        attributes: { ...Attributes, MessageGroupId: 'g' },
        messageAttributes: {},
      }),
    );
    expect(Records).toHaveLength(2);
    // The sending of the two was the test's, and so is the look at the dead letters below.
    sqs.calls.splice(
      0,
      sqs.calls.length,
      ...sqs.calls.filter(({ input }) => !String(input.QueueUrl).endsWith(QUEUES.push)),
    );
    const invocation = { getRemainingTimeInMillis: () => 120_000 };
    const invoke = queueHandler(async () => fanout);
    for (let failure = 1; failure <= MAX_FAILURES; failure += 1) {
      const { batchItemFailures } = await invoke({ Records }, invocation);
      expect(batchItemFailures).toEqual(Records.map(({ messageId }) => ({ itemIdentifier: messageId })));
    }
    const calls = [...sqs.calls];
    expect(await pushes.deadLetters(10)).toMatchObject([{ body: '{}' }]);
    sqs.calls.splice(0, sqs.calls.length, ...calls);
  }

  it('has the right to every row that it reads and writes', () => {
    const uses = dynamodb.calls.map(usesOf);
    expect(uses.length).toBeGreaterThan(20);
    const refused = uses.filter(
      ({ action, partitions }) =>
        !allows(statements, { action, resource: TABLE, keys: { 'dynamodb:LeadingKeys': partitions } }),
    );
    expect(refused).toEqual([]);
  });

  it('has the right to no kind of row that it never touches: neither guests of rollouts nor anything else', () => {
    const touched = new Set(dynamodb.calls.flatMap((call) => usesOf(call).partitions).map(kindOf));
    expect(grantedKinds(statements)).toEqual([...touched].sort());
  });

  it('takes every action on rows that it has a right to', () => {
    const uses = dynamodb.calls.map(usesOf);
    for (const { sid, actions, conditions } of statements) {
      const kinds = (conditions['ForAllValues:StringLike']?.['dynamodb:LeadingKeys'] ?? []).map(kindOf);
      if (kinds.length === 0) continue;
      const taken = uses.filter(({ partitions }) => partitions.some((each) => kinds.includes(kindOf(each))));
      expect([...new Set(taken.map(({ action }) => action))].sort(), sid).toEqual([...actions].sort());
    }
  });

  it('has the right to every queue that it sends to or takes from, and sends to each that it has the right to', () => {
    const used = sqs.calls.map(({ operation, input }) => ({
      // The right to a batch is that to its single operation.
      // https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-api-permissions-reference.html
      action: `sqs:${operation.replace(/Batch$/, '')}`,
      resource: queue(
        (new URL(String(input.QueueUrl)).pathname.split('/').at(-1) ?? '').replace(`${NAME}-`, ''),
      ),
    }));
    expect(used.filter((request) => !allows(statements, request))).toEqual([]);
    const sends = used.filter(({ action }) => action === 'sqs:SendMessage').map(({ resource }) => resource);
    expect([...new Set(sends)].sort()).toEqual(
      [QUEUES.deadOf(QUEUES.push), QUEUES.notify, QUEUES.cluster('production')].map(queue).sort(),
    );
  });
});
