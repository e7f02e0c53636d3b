import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { Job } from '../../../lib/core/job.ts';
import { silentLog } from '../../../lib/log.ts';
import type { Core } from '../../../lib/pipeline/context.ts';
import { TICK_MS, tick } from '../../../lib/pipeline/tick.ts';
import type { OutgoingMessage } from '../../../lib/queue/queue.ts';
import { Outbox } from '../../../lib/store/outbox.ts';
import { type TestSqlite, testSqlite } from '../../support/sqlite.ts';

let database: TestSqlite;
let sent: string[];
beforeAll(async () => {
  database = await testSqlite();
});
afterAll(() => database.close());
beforeEach(() => {
  sent = [];
});

function setUp(intervalMs: number, broken: readonly string[] = []) {
  const { now } = database.clock;
  const table = database.freshTable();
  const outbox = new Outbox(table, now, ['one', 'two']);
  const queue = (name: string) => ({
    send: async (messages: OutgoingMessage[]) => {
      if (broken.includes(name)) throw new Error(`${name} is not there`);
      for (const { body } of messages) sent.push(`${name} ${Job.parse(JSON.parse(body)).type}`);
    },
  });
  const ctx = {
    fleet: { clusters: [{ name: 'one' }, { name: 'two' }], sweep: { interval: intervalMs } },
    providers: [{ name: 'hub' }, { name: 'lab' }],
    index: { rows: table, outbox },
    queues: { cluster: queue, notify: queue('notify') },
    newId: () => 'id',
    now,
    log: silentLog,
  } as unknown as Core;
  return { ctx, outbox };
}

const STATUS = {
  project: 'a/b',
  commit: 'c'.repeat(40),
  context: 'slipway/one',
  state: 'success' as const,
  description: '',
};

describe('the tick', () => {
  test('sends a sweep to every cluster each time, where they are wanted every minute or more often', async () => {
    const { ctx } = setUp(TICK_MS);
    await tick(ctx);
    await tick(ctx);
    expect(sent.sort()).toEqual(['one sweep', 'one sweep', 'two sweep', 'two sweep']);
  });

  test('sends sweeps as seldom as the fleet file says, though ticks come a little early or late', async () => {
    const { ctx } = setUp(3 * TICK_MS);
    for (const ms of [0, TICK_MS, TICK_MS - 900, TICK_MS + 100, TICK_MS, TICK_MS, TICK_MS]) {
      database.clock.advance(ms);
      await tick(ctx);
    }
    expect(sent.filter((line) => line === 'one sweep')).toHaveLength(3);
  });

  test('wakes the outboxes that have something to send, and no others', async () => {
    const { ctx, outbox } = setUp(TICK_MS);
    await outbox.want({ cluster: 'one', destination: 'lab', ...STATUS });
    await tick(ctx);
    expect(sent.filter((line) => line.startsWith('notify'))).toEqual(['notify notify']);
  });

  test('names a cluster whose queue cannot be reached, and reaches the others all the same', async () => {
    const { ctx } = setUp(TICK_MS, ['one']);
    await expect(tick(ctx)).rejects.toThrow('cluster one: one is not there');
    expect(sent).toEqual(['two sweep']);
  });
});
