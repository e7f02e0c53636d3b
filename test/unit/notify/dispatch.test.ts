import fc from 'fast-check';
import { beforeEach, describe, expect, it } from 'vitest';
import { ForgeError } from '../../../lib/forge/errors.ts';
import type { CommitStatus } from '../../../lib/forge/forge.ts';
import type { Log, LogFields } from '../../../lib/log.ts';
import { createDispatcher } from '../../../lib/notify/dispatch.ts';
import { createRateLimit } from '../../../lib/notify/rate-limit.ts';
import { Outbox, type WantedStatus } from '../../../lib/store/outbox.ts';
import type { Row, Table } from '../../../lib/store/table.ts';

/** A table in memory, as far as the outbox needs it. */
function memoryTable(now: () => number): Table {
  const rows = new Map<string, Row>();
  const key = (partition: string, sort: string) => `${partition}\n${sort}`;
  const table: Table = {
    async get<T>(partition: string, sort: string) {
      const row = rows.get(key(partition, sort));
      return row && (row.expiresAt === 0 || row.expiresAt > now())
        ? (structuredClone(row) as Row<T>)
        : undefined;
    },
    async put(partition, sort, value, { ifVersion, expiresAt = 0 } = {}) {
      const version = rows.get(key(partition, sort))?.version ?? 0;
      if (ifVersion !== undefined && ifVersion !== version) return undefined;
      rows.set(key(partition, sort), {
        partition,
        sort,
        value: structuredClone(value),
        version: version + 1,
        expiresAt,
      });
      return version + 1;
    },
    async delete(partition, sort) {
      return rows.delete(key(partition, sort));
    },
    async query<T>(partition: string) {
      const found = [...rows.values()].filter((row) => row.partition === partition);
      return structuredClone(found.sort((a, b) => (a.sort < b.sort ? -1 : 1))) as Row<T>[];
    },
    async batch() {},
    async close() {},
  };
  return table;
}

describe('createDispatcher', () => {
  let time: number;
  let posted: CommitStatus[];
  let logged: { level: string; message: string }[];
  let answer: (status: CommitStatus) => unknown;
  let outbox: Outbox;
  const now = () => time;

  beforeEach(() => {
    time = 1_000_000;
    posted = [];
    logged = [];
    answer = () => undefined;
    outbox = new Outbox(memoryTable(now), now, ['production']);
  });

  const record =
    (level: string) =>
    (first: string | LogFields, message?: string): void => {
      logged.push({ level, message: message ?? String(first) });
    };
  const log: Log = {
    debug: record('debug'),
    info: record('info'),
    warn: record('warn'),
    error: record('error'),
    child: () => log,
  };

  function dispatcher(rules = [{ count: 1_000, perMs: 60_000 }]) {
    return createDispatcher({
      destination: 'hub',
      outbox,
      limit: createRateLimit(rules, now),
      log,
      now,
      forge: {
        async setCommitStatus(status) {
          const error = answer(status);
          if (error !== undefined) throw error;
          posted.push(status);
        },
      },
    });
  }

  function want(changes: Partial<WantedStatus> = {}) {
    return outbox.want({
      cluster: 'production',
      destination: 'hub',
      project: 'acme/fleet',
      commit: 'a'.repeat(40),
      context: 'slipway/staging',
      state: 'pending',
      description: 'deploying to staging',
      ...changes,
    });
  }

  it('sends what is wanted, once', async () => {
    await want();
    const { run } = dispatcher();
    expect(await run()).toBeUndefined();
    expect(await run()).toBeUndefined();
    expect(posted).toHaveLength(1);
    expect(await want()).toBe(false);
    expect(await run()).toBeUndefined();
    expect(posted).toHaveLength(1);
  });

  it('sends only the last of several wishes', async () => {
    await want();
    await want({ state: 'success', description: '1 changed' });
    await dispatcher().run();
    expect(posted.map(({ state }) => state)).toEqual(['success']);
  });

  it('sends a wish that comes while the one before it is on its way, afterwards', async () => {
    await want();
    let first = true;
    answer = () => {
      if (first) void want({ state: 'success' });
      first = false;
    };
    const { run } = dispatcher();
    await run();
    await run();
    expect(posted.map(({ state }) => state)).toEqual(['pending', 'success']);
  });

  it('sends in the order of the wishes', async () => {
    for (const context of ['z', 'a', 'm']) {
      time += 1;
      await want({ context });
    }
    await dispatcher().run();
    expect(posted.map(({ context }) => context)).toEqual(['z', 'a', 'm']);
  });

  it('keeps a status through an hour of faults and sends it afterwards', async () => {
    await want();
    const healthyAt = time + 3_600_000;
    answer = () => (time < healthyAt ? new ForgeError('transient', '503') : undefined);
    const { run } = dispatcher();
    let tries = 0;
    for (let next = await run(); next !== undefined; next = await run()) {
      expect(next).toBeGreaterThan(time);
      time = next;
      tries += 1;
    }
    expect(posted).toHaveLength(1);
    expect(tries).toBeLessThan(12);
    expect(time - healthyAt).toBeLessThan(15 * 60_000);
  });

  it('waits as long as the provider asks, for all of its statuses', async () => {
    await want();
    await want({ context: 'slipway/production' });
    answer = () => new ForgeError('rate-limited', '429', { retryAfter: 120_000 });
    const { run } = dispatcher();
    expect(await run()).toBe(time + 120_000);
    answer = () => undefined;
    expect(await run()).toBe(time + 120_000);
    expect(posted).toEqual([]);
    time += 120_000;
    expect(await run()).toBeUndefined();
    expect(posted).toHaveLength(2);
  });

  it('stays under the limits and says when it goes on', async () => {
    for (let index = 0; index < 5; index += 1) await want({ context: `c${index}` });
    const { run } = dispatcher([{ count: 2, perMs: 60_000 }]);
    expect(await run()).toBe(time + 60_000);
    expect(posted).toHaveLength(2);
    time += 60_000;
    await run();
    time += 60_000;
    expect(await run()).toBeUndefined();
    expect(posted).toHaveLength(5);
  });

  it('drops what the provider will never take, and says so', async () => {
    await want();
    answer = () => new ForgeError('rejected', '422 maximum number of statuses');
    expect(await dispatcher().run()).toBeUndefined();
    expect(logged.map(({ message }) => message)).toEqual([
      'a commit status was dropped: the provider refuses it',
    ]);
    expect(await outbox.pending('hub', 10)).toEqual([]);
  });

  it('gives a commit that is not visible yet some time before it counts as gone', async () => {
    await want();
    answer = () => new ForgeError('gone', '404');
    const { run } = dispatcher();
    let tries = 1;
    for (let next = await run(); next !== undefined; next = await run()) {
      time = next;
      tries += 1;
    }
    expect(tries).toBe(4);
    expect(logged.at(-1)?.message).toBe('a commit status was dropped: its commit or repository is gone');
  });

  it('says once that a credential is refused, goes on with other projects, and recovers', async () => {
    await want();
    await want({ context: 'slipway/production' });
    await want({ project: 'acme/other' });
    answer = ({ project }) => (project === 'acme/fleet' ? new ForgeError('unauthorized', '401') : undefined);
    const { run } = dispatcher();
    const next = await run();
    expect(posted.map(({ project }) => project)).toEqual(['acme/other']);
    expect(logged.filter(({ level }) => level === 'error')).toHaveLength(1);
    time = next ?? 0;
    await run();
    expect(logged.filter(({ level }) => level === 'error')).toHaveLength(1);
    answer = () => undefined;
    time += 15 * 60_000;
    expect(await run()).toBeUndefined();
    expect(posted).toHaveLength(3);
    expect(logged.at(-1)?.message).toBe('commit statuses can be written again');
  });

  it('never throws, not even when the outbox is out of order', async () => {
    const broken = createDispatcher({
      destination: 'hub',
      outbox: {
        pending: () => Promise.reject(new Error('disk full')),
        sent: async () => undefined,
        failed: async () => undefined,
      },
      forge: { setCommitStatus: async () => undefined },
      limit: createRateLimit([], now),
      log,
      now,
    });
    expect(await broken.run()).toBe(time + 5_000);
    expect(logged).toEqual([{ level: 'error', message: 'the outbox could not be read or written' }]);
  });

  it('runs once at a time', async () => {
    await want();
    const { run } = dispatcher();
    await Promise.all([run(), run(), run()]);
    expect(posted).toHaveLength(1);
  });

  it('ends with the last wish of every context, whatever fails in between', async () => {
    const step = fc.record({
      context: fc.constantFrom('a', 'b', 'c'),
      state: fc.constantFrom('pending', 'success', 'failure'),
      fault: fc.constantFrom('none', 'transient', 'rate-limited', 'unauthorized'),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 20 }), async (steps) => {
        posted = [];
        outbox = new Outbox(memoryTable(now), now, ['production']);
        const { run } = dispatcher();
        const last = new Map<string, string>();
        for (const { context, state, fault } of steps) {
          answer = () => (fault === 'none' ? undefined : new ForgeError(fault, fault, { retryAfter: 1_000 }));
          await want({ context, state });
          last.set(context, state);
          await run();
          time += 700;
        }
        answer = () => undefined;
        for (let next = await run(); next !== undefined; next = await run()) time = Math.max(next, time + 1);
        time += 16 * 60_000;
        await run();
        const shown = new Map(posted.map(({ context, state }) => [context, state as string]));
        expect(shown).toEqual(last);
      }),
    );
  });
});

describe('createRateLimit', () => {
  it('never lets more through than each rule says, in any window', () => {
    const rules = [
      { count: 3, perMs: 100 },
      { count: 5, perMs: 1_000 },
    ];
    fc.assert(
      fc.property(fc.array(fc.nat(80), { minLength: 1, maxLength: 200 }), (pauses) => {
        let time = 0;
        const limit = createRateLimit(rules, () => time);
        const taken: number[] = [];
        for (const pause of pauses) {
          time += pause;
          const wait = limit.take();
          expect(wait).toBeGreaterThanOrEqual(0);
          if (wait === 0) taken.push(time);
        }
        for (const { count, perMs } of rules)
          for (const start of taken)
            expect(taken.filter((at) => at >= start && at < start + perMs).length).toBeLessThanOrEqual(count);
      }),
    );
  });

  it('says truly how long to wait', () => {
    let time = 0;
    const limit = createRateLimit([{ count: 1, perMs: 50 }], () => time);
    expect(limit.take()).toBe(0);
    time = 20;
    expect(limit.take()).toBe(30);
    time = 50;
    expect(limit.take()).toBe(0);
  });

  it('limits nothing without rules', () => {
    const limit = createRateLimit([], () => 0);
    expect(Array.from({ length: 100 }, () => limit.take())).toEqual(Array.from({ length: 100 }, () => 0));
  });
});
