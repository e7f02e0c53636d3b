import { afterAll, beforeAll, expect, test } from 'vitest';
import { type ImageJob, Job } from '../../../lib/core/job.ts';
import type { KubernetesObject } from '../../../lib/core/object.ts';
import { silentLog } from '../../../lib/log.ts';
import type { Context } from '../../../lib/pipeline/context.ts';
import { handleJob } from '../../../lib/pipeline/handle-job.ts';
import { subscribe } from '../../../lib/pipeline/subscribe.ts';
import type { OutgoingMessage } from '../../../lib/queue/queue.ts';
import { Subscriptions } from '../../../lib/store/subscriptions.ts';
import { type TestSqlite, testSqlite } from '../../support/sqlite.ts';

let database: TestSqlite;
beforeAll(async () => {
  database = await testSqlite();
});
afterAll(() => database.close());

/** A pipeline of nothing but subscriptions and queues. */
function setUp() {
  const sent: Record<string, unknown>[] = [];
  let ids = 0;
  const ctx = {
    index: { subscriptions: new Subscriptions(database.freshTable(), ['prod', 'test']) },
    queues: {
      cluster: () => ({
        send: async (messages: OutgoingMessage[]) =>
          void sent.push(...messages.map(({ body }) => Job.parse(JSON.parse(body)))),
      }),
    },
    newId: () => String(++ids),
    now: () => 1,
    log: silentLog,
  } as unknown as Context;
  return { ctx, sent };
}

function follower(kind: string, name: string, spec: Record<string, unknown>): KubernetesObject {
  const group = kind === 'GitRepository' ? 'source' : 'image';
  return {
    apiVersion: `${group}.toolkit.fluxcd.io/v1`,
    kind,
    metadata: { name, namespace: 'apps' },
    spec: { interval: '1h', ...spec },
  };
}

const push: ImageJob = {
  type: 'image',
  registry: 'own',
  images: ['ghcr.io/acme/app', 'ghcr.io/docker/acme/app'],
  tag: '1.2.3',
  origin: { id: 'o' },
  receivedAt: 1,
};

test('a push reaches whatever follows the image, in every cluster, with the tag as a hint', async () => {
  const { ctx, sent } = setUp();
  await subscribe(ctx, 'prod', [
    follower('ImageRepository', 'app', { image: 'GHCR.io/acme/app' }),
    follower('ImageRepository', 'nested', { image: 'ghcr.io/docker/acme/app' }),
    follower('ImageRepository', 'other', { image: 'ghcr.io/acme/other' }),
    follower('ImageRepository', 'asleep', { image: 'ghcr.io/acme/app', suspend: true }),
    follower('ImageRepository', 'broken', { image: 'https://ghcr.io/acme/app' }),
    follower('ImageRepository', 'nameless', {}),
    follower('GitRepository', 'nameless', {}),
    // Its repository is spelt like the image, and has nothing to do with it.
    follower('GitRepository', 'source', { url: 'https://ghcr.io/acme/app' }),
    follower('ImagePolicy', 'policy', {}),
  ]);
  await subscribe(ctx, 'test', [follower('ImageRepository', 'app', { image: 'ghcr.io/acme/app' })]);
  expect(await handleJob(ctx, push)).toBe('done');
  expect(sent.map(({ cluster, kind, name }) => `${cluster} ${kind} ${name}`).toSorted()).toEqual([
    'prod ImageRepository app',
    'prod ImageRepository nested',
    'test ImageRepository app',
  ]);
  expect(sent[0]).toMatchObject({
    type: 'reconcile',
    group: 'image.toolkit.fluxcd.io',
    trigger: 'push',
    tag: '1.2.3',
    origin: { id: 'o' },
  });
});

test('a push that nothing follows ends there', async () => {
  const { ctx, sent } = setUp();
  await handleJob(ctx, push);
  expect(sent).toEqual([]);
});

test('1,500 followers of one image are all reached', async () => {
  const { ctx, sent } = setUp();
  const many = Array.from({ length: 1_500 }, (_, index) =>
    follower('ImageRepository', `app-${index}`, { image: 'ghcr.io/acme/app' }),
  );
  await subscribe(ctx, 'prod', many);
  await handleJob(ctx, push);
  expect(sent).toHaveLength(1_500);
});
