import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Outbox, type WantedStatus } from '../../../lib/store/outbox.ts';
import { dieAtEveryWrite } from '../../support/failing-table.ts';
import { type TestSqlite, testSqlite } from '../../support/sqlite.ts';

let parts: TestSqlite;
beforeAll(async () => {
  parts = await testSqlite();
});
afterAll(() => parts.close());

function status(more: Partial<WantedStatus> = {}): WantedStatus {
  return {
    cluster: 'prod',
    destination: 'github',
    project: 'team/app',
    commit: 'a'.repeat(40),
    context: 'slipway/prod',
    state: 'pending',
    description: 'deploying',
    ...more,
  };
}
function open(): Outbox {
  return new Outbox(parts.freshTable(), parts.clock.now, ['prod', 'staging']);
}
async function states(outbox: Outbox): Promise<string[]> {
  return (await outbox.pending('github', 10)).map(({ status: { state } }) => state);
}
/** Sends what is pending, and says what it sent. */
async function send(outbox: Outbox): Promise<string[]> {
  const entries = await outbox.pending('github', 10);
  for (const entry of entries) await outbox.sent(entry);
  return entries.map((entry) => entry.status.state);
}

describe('the outbox', () => {
  test('holds a status until it was sent', async () => {
    const outbox = open();
    expect(await outbox.want(status())).toBe(true);
    const [entry] = await outbox.pending('github', 10);
    expect(entry?.status).toEqual(status());
    expect(await outbox.pending('gitlab', 10)).toEqual([]);
    expect(await states(outbox)).toEqual(['pending']);
    if (entry) await outbox.sent(entry);
    expect(await states(outbox)).toEqual([]);
  });

  test('takes only what is new, also after it was sent', async () => {
    const outbox = open();
    await outbox.want(status());
    expect(await outbox.want(status())).toBe(false);
    expect(await send(outbox)).toEqual(['pending']);
    expect(await outbox.want(status())).toBe(false);
    expect(await states(outbox)).toEqual([]);
    expect(await outbox.want(status({ description: 'still deploying' }))).toBe(true);
    expect(await send(outbox)).toEqual(['pending']);
  });

  test('sends the latest state alone when several came before it could send', async () => {
    const outbox = open();
    await outbox.want(status());
    await outbox.want(status({ state: 'failure' }));
    await outbox.want(status({ state: 'success' }));
    expect(await send(outbox)).toEqual(['success']);
    expect(await states(outbox)).toEqual([]);
  });

  test('sends nothing when the state went back to what the provider has', async () => {
    const outbox = open();
    await outbox.want(status({ state: 'success' }));
    await send(outbox);
    await outbox.want(status());
    await outbox.want(status({ state: 'success' }));
    expect(await states(outbox)).toEqual([]);
  });

  test('keeps a state that came while an older one was being sent', async () => {
    const outbox = open();
    await outbox.want(status());
    const [entry] = await outbox.pending('github', 10);
    await outbox.want(status({ state: 'success' }));
    if (entry) await outbox.sent(entry);
    expect(await send(outbox)).toEqual(['success']);
    expect(await states(outbox)).toEqual([]);
  });

  test('ignores a state computed from what was known earlier', async () => {
    const outbox = open();
    await outbox.want(status({ state: 'success', sequence: 7 }));
    expect(await outbox.want(status({ state: 'pending', sequence: 6 }))).toBe(false);
    expect(await send(outbox)).toEqual(['success']);
    expect(await outbox.want(status({ state: 'success', sequence: 9 }))).toBe(false);
    expect(await outbox.want(status({ state: 'pending', sequence: 8 }))).toBe(false);
    expect(await states(outbox)).toEqual([]);
    expect(await outbox.want(status({ state: 'pending', sequence: 10 }))).toBe(true);
    expect(await states(outbox)).toEqual(['pending']);
  });

  test('keeps contexts, commits, projects and destinations apart, oldest wish first', async () => {
    const outbox = open();
    const all = [
      status(),
      status({ context: 'slipway/staging' }),
      status({ commit: 'b'.repeat(40) }),
      status({ project: 'team/other' }),
    ];
    for (const each of all) {
      await outbox.want(each);
      parts.clock.advance(1);
    }
    await outbox.want(status({ destination: 'gitlab', state: 'error' }));
    expect((await outbox.pending('github', 10)).map((entry) => entry.status)).toEqual(all);
    expect(await outbox.pending('github', 2)).toHaveLength(2);
    expect((await outbox.pending('gitlab', 10)).map((entry) => entry.status.state)).toEqual(['error']);
  });

  test('takes projects and contexts of any length', async () => {
    const outbox = open();
    const long = status({ project: 'group/'.repeat(200), context: 'slipway/'.repeat(200) });
    await outbox.want(long);
    expect((await outbox.pending('github', 10))[0]?.status).toEqual(long);
  });

  test('counts failures and waits as long as the provider asked, for a newer state too', async () => {
    const outbox = open();
    await outbox.want(status());
    const [entry] = await outbox.pending('github', 10);
    expect(entry?.attempts).toBe(0);
    if (entry) await outbox.failed(entry, parts.clock.now() + 60_000);
    expect(await states(outbox)).toEqual([]);
    await outbox.want(status({ state: 'success' }));
    expect(await states(outbox)).toEqual([]);
    parts.clock.advance(60_000);
    const [again] = await outbox.pending('github', 10);
    expect(again).toMatchObject({ status: { state: 'success' }, attempts: 0 });
    if (again) await outbox.failed(again, parts.clock.now());
    expect(await outbox.pending('github', 10)).toMatchObject([{ attempts: 1 }]);
  });

  test('gives up what the provider refuses for good, and tries a later state', async () => {
    const outbox = open();
    await outbox.want(status());
    const [entry] = await outbox.pending('github', 10);
    if (entry) await outbox.failed(entry, undefined);
    parts.clock.advance(3_600_000);
    expect(await states(outbox)).toEqual([]);
    expect(await outbox.want(status())).toBe(false);
    await outbox.want(status({ state: 'success' }));
    expect(await send(outbox)).toEqual(['success']);
  });

  test('lets the latest of many concurrent wishes win', async () => {
    const outbox = open();
    await Promise.all(
      Array.from({ length: 30 }, (_, index) =>
        outbox.want(status({ description: `state ${index}`, sequence: index + 1 })),
      ),
    );
    expect((await outbox.pending('github', 10)).map((entry) => entry.status.description)).toEqual([
      'state 29',
    ]);
  });

  test('forgets a mark with nothing behind it after an hour', async () => {
    const table = parts.freshTable();
    await table.put('outbox-pending#prod#github', 'left', { at: parts.clock.now(), retryAt: 0 });
    const outbox = new Outbox(table, parts.clock.now, ['prod', 'staging']);
    expect(await states(outbox)).toEqual([]);
    expect(await table.query('outbox-pending#prod#github')).toHaveLength(1);
    parts.clock.advance(3_600_000);
    expect(await states(outbox)).toEqual([]);
    expect(await table.query('outbox-pending#prod#github')).toEqual([]);
  });

  test('loses no wish when the process dies while it is written and the run is repeated', async () => {
    const writes = await dieAtEveryWrite(
      parts.freshTable,
      async (table) => {
        const outbox = new Outbox(table, parts.clock.now, ['prod', 'staging']);
        await outbox.want(status());
        await send(outbox);
      },
      (table) => new Outbox(table, parts.clock.now, ['prod', 'staging']).want(status({ state: 'success' })),
      async (table) => {
        const outbox = new Outbox(table, parts.clock.now, ['prod', 'staging']);
        await outbox.want(status({ state: 'success' }));
        expect(await send(outbox)).toEqual(['success']);
        expect(await states(outbox)).toEqual([]);
      },
    );
    expect(writes).toBe(2);
  });

  test('sends twice rather than never when the process dies after sending', async () => {
    await dieAtEveryWrite(
      parts.freshTable,
      async (table) => {
        await new Outbox(table, parts.clock.now, ['prod', 'staging']).want(status());
      },
      (table) => send(new Outbox(table, parts.clock.now, ['prod', 'staging'])),
      async (table) => {
        const outbox = new Outbox(table, parts.clock.now, ['prod', 'staging']);
        await outbox.want(status({ state: 'success' }));
        expect(await send(outbox)).toEqual(['success']);
      },
    );
  });

  test('keeps a wish that comes just before the mark of the one before is taken away', async () => {
    const real = parts.freshTable();
    const outbox = new Outbox(real, parts.clock.now, ['prod', 'staging']);
    await outbox.want(status());
    const racing: typeof real = {
      ...real,
      async delete(partition, sort, options) {
        await outbox.want(status({ state: 'success' }));
        return real.delete(partition, sort, options);
      },
    };
    expect(await send(new Outbox(racing, parts.clock.now, ['prod', 'staging']))).toEqual(['pending']);
    expect(await send(outbox)).toEqual(['success']);
  });

  test('ends with what was wished for last, however wishes and sendings interleave', async () => {
    await fc.assert(
      fc.asyncProperty(fc.scheduler(), async (scheduler) => {
        const real = parts.freshTable();
        // Every answer of the table comes when the scheduler says so.
        const table = {
          get: scheduler.scheduleFunction(real.get),
          put: scheduler.scheduleFunction(real.put),
          delete: scheduler.scheduleFunction(real.delete),
          query: scheduler.scheduleFunction(real.query),
          batch: scheduler.scheduleFunction(real.batch),
          close: real.close,
        } as typeof real;
        const outbox = new Outbox(table, parts.clock.now, ['prod', 'staging']);
        const provider: string[] = [];
        const sender = async () => {
          for (const entry of await outbox.pending('github', 10)) {
            provider.push(entry.status.state);
            await outbox.sent(entry);
          }
        };
        const work = Promise.all([
          outbox.want(status({ state: 'pending', sequence: 1 })),
          outbox.want(status({ state: 'success', sequence: 3 })),
          outbox.want(status({ state: 'failure', sequence: 2 })),
          sender(),
          sender(),
        ]);
        await scheduler.waitFor(work);
        const quiet = new Outbox(real, parts.clock.now, ['prod', 'staging']);
        provider.push(...(await send(quiet)));
        expect(await states(quiet)).toEqual([]);
        expect(provider.at(-1)).toBe('success');
      }),
      { numRuns: 150 },
    );
  });
});
