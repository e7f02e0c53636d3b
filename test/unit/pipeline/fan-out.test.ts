import { afterAll, beforeAll, expect, test } from 'vitest';
import { Job, type PushJob } from '../../../lib/core/job.ts';
import { silentLog } from '../../../lib/log.ts';
import type { Context } from '../../../lib/pipeline/context.ts';
import { fanOut, watches } from '../../../lib/pipeline/fan-out.ts';
import type { OutgoingMessage } from '../../../lib/queue/queue.ts';
import { Rollouts } from '../../../lib/store/rollouts.ts';
import { type Subscription, Subscriptions } from '../../../lib/store/subscriptions.ts';
import { type TestSqlite, testSqlite } from '../../support/sqlite.ts';

const COMMIT = 'a'.repeat(40);
let database: TestSqlite;

beforeAll(async () => {
  database = await testSqlite();
});
afterAll(() => database.close());

/** A pipeline of nothing but subscriptions and queues. */
function setUp() {
  const { now } = database.clock;
  const sent: { cluster: string; message: OutgoingMessage }[] = [];
  const subscriptions = new Subscriptions(database.freshTable(), ['main', 'a', 'b', 'c']);
  let ids = 0;
  const ctx = {
    providers: [],
    index: { subscriptions, rollouts: new Rollouts(database.freshTable(), now) },
    queues: {
      cluster: (cluster: string) => ({
        send: async (messages: OutgoingMessage[]) => {
          sent.push(...messages.map((message) => ({ cluster, message })));
        },
      }),
    },
    newId: () => String(++ids),
    now,
    log: silentLog,
  } as unknown as Context;
  return { ctx, sent, subscriptions };
}

function subscription(name: string, cluster = 'main', ref: Subscription['ref'] = { branch: 'main' }) {
  const group = 'source.toolkit.fluxcd.io';
  return { cluster, group, kind: 'GitRepository', namespace: 'apps', name, repository: 'host/a/b', ref };
}

function push(changes: Partial<PushJob> = {}): PushJob {
  return {
    type: 'push',
    provider: 'hub',
    repositories: ['host/a/b'],
    project: 'a/b',
    ref: 'refs/heads/main',
    commit: COMMIT,
    origin: { id: 'o', commit: COMMIT },
    receivedAt: 1,
    ...changes,
  };
}

test('a push that 1,500 sources watch gives one job to each, in one send to each cluster', async () => {
  const { ctx, sent, subscriptions } = setUp();
  for (const cluster of ['a', 'b', 'c'])
    await subscriptions.replace(
      cluster,
      Array.from({ length: 500 }, (_, index) => subscription(`app-${index}`, cluster)),
    );
  await fanOut(ctx, push());
  expect(sent).toHaveLength(1_500);
  expect(new Set(sent.map(({ message }) => message.group)).size).toBe(1_500);
  expect(new Set(sent.map(({ message }) => message.deduplicationId)).size).toBe(1_500);
  expect(sent.filter(({ cluster }) => cluster === 'b')).toHaveLength(500);
  const job = Job.parse(JSON.parse(sent[0]?.message.body ?? ''));
  expect(job).toMatchObject({ type: 'reconcile', kind: 'GitRepository', trigger: 'push', commit: COMMIT });
});

test('a source is sent once, however many spellings of its repository a push names', async () => {
  const { ctx, sent, subscriptions } = setUp();
  await subscriptions.replace('main', [subscription('app')]);
  await fanOut(ctx, push({ repositories: ['host/a/b', 'host:22/a/b', 'host/a/b'] }));
  expect(sent).toHaveLength(1);
});

test('the same push again gives jobs with names of their own, so that no queue drops a commit that comes back', async () => {
  const { ctx, sent, subscriptions } = setUp();
  await subscriptions.replace('main', [subscription('app')]);
  for (let time = 0; time < 3; time++) await fanOut(ctx, push());
  expect(new Set(sent.map(({ message }) => message.deduplicationId)).size).toBe(3);
  expect(new Set(sent.map(({ message }) => message.group))).toEqual(
    new Set(['main/source.toolkit.fluxcd.io/GitRepository/apps/app']),
  );
});

test('a push nobody watches, of another ref or to a pinned commit, sends nothing', async () => {
  const { ctx, sent, subscriptions } = setUp();
  await subscriptions.replace('main', [
    subscription('branch', 'main', { branch: 'other' }),
    subscription('pinned', 'main', { branch: 'main', commit: COMMIT }),
    subscription('tag', 'main', { tag: 'main' }),
  ]);
  await fanOut(ctx, push());
  await fanOut(ctx, push({ repositories: ['host/other/repository'] }));
  expect(sent).toEqual([]);
});

test.each<[string, Subscription['ref'], string, boolean]>([
  ['a branch', { branch: 'v1' }, 'refs/heads/v1', true],
  ['a branch is not moved by a tag of its name', { branch: 'v1' }, 'refs/tags/v1', false],
  ['a tag is not moved by a branch of its name', { tag: 'v1' }, 'refs/heads/v1', false],
  ['a tag', { tag: 'v1' }, 'refs/tags/v1', true],
  ['a range of versions', { semver: '>=1.0.0' }, 'refs/tags/v1.2.0', true],
  ['a range of versions is not moved by a tag out of it', { semver: '1.x' }, 'refs/tags/v2.0.0', false],
  ['a range of versions is not moved by a branch', { semver: '>=1.0.0' }, 'refs/heads/v1', false],
  ['a ref by its name', { name: 'refs/pull/1/head' }, 'refs/pull/1/head', true],
  ['a branch whose name only begins so', { branch: 'main' }, 'refs/heads/main2', false],
  ['nothing named is the branch master', {}, 'refs/heads/master', true],
])('which pushes move a source: %s', (_what, ref, pushed, expected) => {
  expect(watches({ ref }, { ref: pushed })).toBe(expected);
});
