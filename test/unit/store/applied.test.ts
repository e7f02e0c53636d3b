import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { sha256 } from '../../../lib/core/digest.ts';
import { Applied, type StoredRecord } from '../../../lib/store/applied.ts';
import { dieAtEveryWrite } from '../../support/failing-table.ts';
import { type TestSqlite, testSqlite } from '../../support/sqlite.ts';

let parts: TestSqlite;
beforeAll(async () => {
  parts = await testSqlite();
});
afterAll(() => parts.close());

const OWNER = 'Kustomization/apps/app';

function records(count: number, seed = ''): Map<string, StoredRecord> {
  return new Map(
    Array.from({ length: count }, (_, index) => [
      `apps/Deployment/apps/app-${index}`,
      { desired: sha256(`${seed}d${index}`), observation: sha256(`${seed}o${index}`), checkedAt: index },
    ]),
  );
}

/** A whole run: its beginning and the saving of what it applied. */
async function save(
  applied: Applied,
  owner: string,
  applying: ReadonlyMap<string, StoredRecord>,
  run = 'run',
  cluster = 'prod',
): Promise<void> {
  const begun = await applied.begin(cluster, owner);
  expect(await applied.save(cluster, owner, applying, { run, begun })).toBe(true);
}

describe('applied records', () => {
  test('are given back to their owner alone', async () => {
    const applied = new Applied(parts.freshTable());
    await save(applied, OWNER, records(3));
    await save(applied, `${OWNER}2`, records(1));
    await save(applied, OWNER, records(2), 'run', 'staging');
    expect(await applied.load('prod', OWNER)).toEqual(records(3));
    expect(await applied.load('prod', 'Kustomization/apps/none')).toEqual(new Map());
  });

  test('of a run that ended before all was done hold, but are not taken for all', async () => {
    const applied = new Applied(parts.freshTable());
    const begun = await applied.begin('prod', OWNER);
    const half = records(2);
    expect(await applied.save('prod', OWNER, half, { run: 'first', begun, waiting: true })).toBe(true);
    expect(await applied.isDirty('prod', OWNER)).toBe(true);
    expect((await applied.loadCluster('prod')).get(OWNER)).toEqual({ records: half, dirty: true });
    const next = await applied.begin('prod', OWNER);
    expect(next.records).toEqual(half);
    expect(next.cutOff).toBe(false);
    expect(await applied.save('prod', OWNER, records(4), { run: 'second', begun: next })).toBe(true);
    expect(await applied.isDirty('prod', OWNER)).toBe(false);
  });

  test('of a run that ended early count for nothing once another one has begun', async () => {
    const applied = new Applied(parts.freshTable());
    const late = await applied.begin('prod', OWNER);
    await applied.begin('prod', OWNER);
    const saved = await applied.save('prod', OWNER, records(2), { run: 'late', begun: late, waiting: true });
    expect(saved).toBe(false);
    expect(await applied.load('prod', OWNER)).toEqual(new Map());
  });

  test('of many objects stand in several rows, and shrink again', async () => {
    const table = parts.freshTable();
    const applied = new Applied(table);
    await save(applied, OWNER, records(5_000));
    expect((await table.query('applied#prod')).length).toBeGreaterThan(3);
    expect(await applied.load('prod', OWNER)).toEqual(records(5_000));
    await save(applied, OWNER, records(10));
    expect(await table.query('applied#prod')).toHaveLength(1);
    expect(await applied.load('prod', OWNER)).toEqual(records(10));
  });

  test('with the longest of names fit their rows', async () => {
    const applied = new Applied(parts.freshTable());
    const long = new Map(
      [...records(2_000)].map(([identity, record]) => [`${'x'.repeat(600)}/${identity}`, record]),
    );
    await save(applied, OWNER, long);
    expect(await applied.load('prod', OWNER)).toEqual(long);
  });

  test('are not written again when nothing changed', async () => {
    const table = parts.freshTable();
    const applied = new Applied(table);
    await save(applied, OWNER, records(10));
    const [before] = await table.query('applied#prod');
    await save(applied, OWNER, records(10));
    expect((await table.query('applied#prod'))[0]?.version).toBe(before?.version);
    await save(applied, OWNER, records(10, 'new'));
    expect(await applied.load('prod', OWNER)).toEqual(records(10, 'new'));
  });

  test('are not trusted between the mark before the first write and the next saving', async () => {
    const applied = new Applied(parts.freshTable());
    await save(applied, OWNER, records(3));
    expect(await applied.isDirty('prod', OWNER)).toBe(false);
    await applied.begin('prod', OWNER);
    expect(await applied.isDirty('prod', OWNER)).toBe(true);
    expect(await applied.load('prod', OWNER)).toEqual(new Map());
    expect((await applied.loadCluster('prod')).get(OWNER)?.dirty).toBe(true);
    await save(applied, OWNER, records(3));
    expect(await applied.isDirty('prod', OWNER)).toBe(false);
    expect(await applied.load('prod', OWNER)).toEqual(records(3));
  });

  test('of a worker that is late count for nothing, and those of its successor are kept or looked at again', async () => {
    const applied = new Applied(parts.freshTable());
    const frozen = await applied.begin('prod', OWNER);
    const begun = await applied.begin('prod', OWNER);
    expect(await applied.save('prod', OWNER, records(3, 'new'), { run: 'second', begun })).toBe(true);
    expect(await applied.load('prod', OWNER)).toEqual(records(3, 'new'));
    expect(await applied.save('prod', OWNER, records(3, 'old'), { run: 'first', begun: frozen })).toBe(false);
    expect(await applied.load('prod', OWNER)).toEqual(new Map());
    expect((await applied.loadCluster('prod')).get(OWNER)).toEqual({ records: new Map(), dirty: true });
    await save(applied, OWNER, records(3, 'new'), 'third');
    expect(await applied.load('prod', OWNER)).toEqual(records(3, 'new'));
  });

  test('tell a run that was cut off from one that has left something to do', async () => {
    const applied = new Applied(parts.freshTable());
    await applied.begin('prod', OWNER);
    expect((await applied.begin('prod', OWNER)).cutOff).toBe(true);
    await applied.markWaiting('prod', OWNER);
    expect(await applied.isDirty('prod', OWNER)).toBe(true);
    expect((await applied.begin('prod', OWNER)).cutOff).toBe(false);
  });

  test('keep the revision that was begun last, however its run ended', async () => {
    const applied = new Applied(parts.freshTable());
    expect(await applied.begunAt('prod', OWNER)).toBeUndefined();
    const begun = await applied.begin('prod', OWNER, 'main@1');
    expect(await applied.begunAt('prod', OWNER)).toBe('main@1');
    await applied.save('prod', OWNER, records(1), { run: 'first', begun });
    expect(await applied.begunAt('prod', OWNER)).toBe('main@1');
    await applied.markWaiting('prod', OWNER, 'main@2');
    expect(await applied.begunAt('prod', OWNER)).toBe('main@2');
  });

  test('cut off while being saved are whole or not trusted, never a mixture', async () => {
    const writes = await dieAtEveryWrite(
      parts.freshTable,
      async (table) => {
        const applied = new Applied(table);
        await save(applied, OWNER, records(5_000));
        await applied.begin('prod', OWNER);
      },
      (table) => save(new Applied(table), OWNER, records(2_000, 'new'), 'second'),
      async (table) => {
        const applied = new Applied(table);
        const dirty = await applied.isDirty('prod', OWNER);
        expect(await applied.load('prod', OWNER)).toEqual(dirty ? new Map() : records(2_000, 'new'));
      },
    );
    expect(writes).toBe(3);
  });

  test('that a forgetting which was cut off has left behind are not taken for those of the same owner later', async () => {
    const table = parts.freshTable();
    const applied = new Applied(table);
    await save(applied, OWNER, records(5_000));
    await table.delete('applied-head#prod', OWNER);
    await save(applied, OWNER, records(3, 'new'));
    expect(await applied.load('prod', OWNER)).toEqual(records(3, 'new'));
    expect((await applied.loadCluster('prod')).get(OWNER)).toEqual({
      records: records(3, 'new'),
      dirty: false,
    });
  });

  test('are forgotten with their owner', async () => {
    const applied = new Applied(parts.freshTable());
    await save(applied, OWNER, records(5_000));
    await applied.begin('prod', OWNER);
    await applied.remove('prod', OWNER);
    expect(await applied.loadCluster('prod')).toEqual(new Map());
    expect(await applied.isDirty('prod', OWNER)).toBe(false);
  });

  test('of a thousand owners are loaded together', async () => {
    const applied = new Applied(parts.freshTable());
    await Promise.all(
      Array.from({ length: 1_000 }, (_, index) => save(applied, `${OWNER}-${index}`, records(4))),
    );
    await save(applied, OWNER, new Map());
    await applied.begin('prod', 'Kustomization/apps/begun');
    const owners = await applied.loadCluster('prod');
    expect(owners.size).toBe(1_002);
    expect(owners.get(`${OWNER}-999`)).toEqual({ records: records(4), dirty: false });
    expect(owners.get(OWNER)).toEqual({ records: new Map(), dirty: false });
    expect(owners.get('Kustomization/apps/begun')).toEqual({ records: new Map(), dirty: true });
  });
});
