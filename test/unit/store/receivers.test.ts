import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Receivers } from '../../../lib/store/receivers.ts';
import { dieAtEveryWrite } from '../../support/failing-table.ts';
import { receiverEntry as entry } from '../../support/receiver-entry.ts';
import { type TestSqlite, testSqlite } from '../../support/sqlite.ts';

let parts: TestSqlite;
beforeAll(async () => {
  parts = await testSqlite();
});
afterAll(() => parts.close());

const KEY = 'Receiver/apps/hub';
const OLD = `/hook/${'0'.repeat(64)}`;
const NEW = `/hook/${'1'.repeat(64)}`;

describe('receivers', () => {
  test('are found by their path, in every cluster that has an equal one', async () => {
    const receivers = new Receivers(parts.freshTable());
    await receivers.put(OLD, entry());
    await receivers.put(OLD, entry({ cluster: 'staging' }));
    expect(await receivers.find(OLD)).toEqual([entry(), entry({ cluster: 'staging' })]);
    expect(await receivers.find(NEW)).toEqual([]);
    expect(await receivers.keysOf('prod')).toEqual([KEY]);
  });

  test('are closed at the path of their old token as soon as there is a new one', async () => {
    const receivers = new Receivers(parts.freshTable());
    await receivers.put(OLD, entry());
    await receivers.put(NEW, entry({ generation: 2 }));
    expect(await receivers.find(OLD)).toEqual([]);
    expect(await receivers.find(NEW)).toEqual([entry({ generation: 2 })]);
  });

  test('can be removed, those that are not there too', async () => {
    const receivers = new Receivers(parts.freshTable());
    await receivers.put(OLD, entry());
    await receivers.remove('prod', KEY);
    await receivers.remove('prod', KEY);
    expect([await receivers.find(OLD), await receivers.keysOf('prod')]).toEqual([[], []]);
  });

  test('take a state of their own or a later generation alone', async () => {
    const receivers = new Receivers(parts.freshTable());
    await receivers.put(OLD, entry({ generation: 3 }));
    await receivers.setState('prod', KEY, 'suspended', 2);
    expect((await receivers.find(OLD))[0]?.state).toBe('ready');
    await receivers.setState('prod', KEY, 'suspended', 4);
    expect((await receivers.find(OLD))[0]).toEqual(entry({ state: 'suspended', generation: 4 }));
    await receivers.setState('prod', 'Receiver/apps/unknown', 'suspended', 1);
  });

  test('never stand in the table with their path, which may be all the secret there is', async () => {
    const table = parts.freshTable();
    const partitions: string[] = [];
    const recording = {
      ...table,
      put: async (...args: Parameters<typeof table.put>) => {
        partitions.push(JSON.stringify(args));
        return table.put(...args);
      },
      get: table.get.bind(table),
      query: table.query.bind(table),
      delete: table.delete.bind(table),
    };
    await new Receivers(recording).put(OLD, entry());
    expect(partitions.join()).not.toContain('0'.repeat(64));
  });

  test('leave no open path behind when the process dies while one is opened or changed', async () => {
    for (const prepared of [false, true])
      await dieAtEveryWrite(
        () => parts.freshTable(),
        async (table) => {
          if (prepared) await new Receivers(table).put(OLD, entry());
        },
        (table) => new Receivers(table).put(NEW, entry({ generation: 2 })),
        async (table) => {
          const receivers = new Receivers(table);
          await receivers.remove('prod', KEY);
          expect([await receivers.find(OLD), await receivers.find(NEW)]).toEqual([[], []]);
          await receivers.put(NEW, entry({ generation: 2 }));
          expect(await receivers.find(NEW)).toHaveLength(1);
        },
      );
  });
});
