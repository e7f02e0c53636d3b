import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { NotifyJob } from '../../../lib/core/job.ts';
import { ForgeError } from '../../../lib/forge/errors.ts';
import { silentLog } from '../../../lib/log.ts';
import { createNotifier, type NotifierContext } from '../../../lib/pipeline/notifier.ts';
import type { OutgoingMessage } from '../../../lib/queue/queue.ts';
import { Outbox } from '../../../lib/store/outbox.ts';
import { type TestSqlite, testSqlite } from '../../support/sqlite.ts';

let database: TestSqlite;
let posted: string[];
let sent: OutgoingMessage[];
let answer: () => void;
beforeAll(async () => {
  database = await testSqlite();
});
afterAll(() => database.close());
beforeEach(() => {
  posted = [];
  sent = [];
  answer = () => {};
});

const JOB: NotifyJob = { type: 'notify', destination: 'hub', requestedAt: 0 };

async function setUp(wishes: number) {
  const { now } = database.clock;
  const outbox = new Outbox(database.freshTable(), now, ['prod']);
  const forge = {
    async setCommitStatus({ context }: { context: string }) {
      answer();
      posted.push(context);
    },
  };
  let ids = 0;
  const ctx = {
    providers: [{ name: 'hub', type: 'gitea', forge }],
    index: { outbox },
    queues: { notify: { send: async (messages: OutgoingMessage[]) => void sent.push(...messages) } },
    newId: () => `${++ids}`,
    now,
    log: silentLog,
  } as unknown as NotifierContext;
  for (let index = 0; index < wishes; index += 1)
    await outbox.want({
      cluster: 'prod',
      destination: 'hub',
      project: 'a/b',
      commit: 'c'.repeat(40),
      context: `slipway/${index}`,
      state: 'success',
      description: '',
    });
  return createNotifier(ctx);
}

describe('a job for an outbox', () => {
  test('sends what is in it, and needs no other one', async () => {
    const notifier = await setUp(3);
    await notifier.deliver(JOB);
    expect(posted.sort()).toEqual(['slipway/0', 'slipway/1', 'slipway/2']);
    expect(sent).toEqual([]);
  });

  test('sends one job for later when the provider limits, however many jobs find that', async () => {
    const notifier = await setUp(3);
    answer = () => {
      throw new ForgeError('rate-limited', 'slow down', { retryAfter: 60_000 });
    };
    await notifier.deliver(JOB);
    await notifier.deliver(JOB);
    expect(posted).toEqual([]);
    expect(new Set(sent.map(({ deduplicationId }) => deduplicationId)).size).toBe(1);
    expect(sent[0]?.delayMs).toBeGreaterThanOrEqual(60_000);
    expect(sent[0]?.delayMs).toBeLessThanOrEqual(70_000);
  });

  test('begins nothing more when there is no time, and sends a job for the rest', async () => {
    const notifier = await setUp(2);
    await notifier.deliver(JOB, database.clock.now());
    expect(posted).toEqual([]);
    expect(sent).toHaveLength(1);
    await notifier.deliver(JOB, database.clock.now() + 60_000);
    expect(posted).toHaveLength(2);
  });

  test('for a provider that was taken out of the fleet file ends without harm', async () => {
    const notifier = await setUp(0);
    await notifier.deliver({ ...JOB, destination: 'gone' });
    expect(sent).toEqual([]);
  });
});
