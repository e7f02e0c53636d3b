import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { ChangeSetEntry } from '../../../lib/core/changeset.ts';
import { sortableId } from '../../../lib/core/sortable-id.ts';
import { type RunRecord, Runs } from '../../../lib/store/runs.ts';
import { dieAtEveryWrite } from '../../support/failing-table.ts';
import { type TestSqlite, testSqlite } from '../../support/sqlite.ts';

let parts: TestSqlite;
beforeAll(async () => {
  parts = await testSqlite();
});
afterAll(() => parts.close());

function change(name: string, detail?: string): ChangeSetEntry {
  const ref = { group: 'apps', version: 'v1', kind: 'Deployment', namespace: 'apps', name };
  return { ref, action: 'configured', ...(detail === undefined ? {} : { detail }) };
}
function run(
  time: number,
  cluster: string,
  name: string,
  changes: ChangeSetEntry[] = [change('a')],
): RunRecord {
  const object = { group: 'kustomize.toolkit.fluxcd.io', kind: 'Kustomization', namespace: 'apps', name };
  return {
    id: sortableId(time, new Uint8Array(10)),
    cluster,
    object,
    trigger: 'push',
    origin: { id: 'push-1', commit: 'abc', author: 'A' },
    revision: 'main@sha1:abc',
    startedAt: time,
    finishedAt: time + 5,
    steps: [{ name: 'apply', ms: 5 }],
    changes,
    result: 'success',
    reason: 'ReconciliationSucceeded',
    message: 'Applied',
  };
}

describe('runs', () => {
  test('are listed newest first, of all, of a cluster, of an object', async () => {
    const runs = new Runs(parts.freshTable(), ['prod', 'staging']);
    const all = [
      run(1, 'prod', 'app'),
      run(2, 'prod', 'web'),
      run(3, 'staging', 'app'),
      run(4, 'prod', 'app'),
    ];
    for (const each of all) await runs.append(each);
    const times = async (filter: Parameters<Runs['list']>[0]) =>
      (await runs.list(filter)).map(({ startedAt }) => startedAt);
    expect(await times({ limit: 10 })).toEqual([4, 3, 2, 1]);
    expect(await times({ limit: 2 })).toEqual([4, 3]);
    expect(await times({ cluster: 'prod', limit: 10 })).toEqual([4, 2, 1]);
    expect(await times({ cluster: 'prod', object: 'Kustomization/apps/app', limit: 10 })).toEqual([4, 1]);
    expect(await times({ cluster: 'prod', limit: 1, before: all[3]?.id ?? '' })).toEqual([2]);
    expect(await times({ cluster: 'none', limit: 10 })).toEqual([]);
    expect(await runs.get('prod', all[0]?.id ?? '')).toEqual(all[0]);
    expect(await runs.get('prod', 'unknown')).toBeUndefined();
  });

  test('are never changed afterwards', async () => {
    const runs = new Runs(parts.freshTable(), ['prod', 'staging']);
    const first = run(1, 'prod', 'app');
    await runs.append(first);
    await runs.append({ ...first, message: 'changed' });
    expect(await runs.get('prod', first.id)).toEqual(first);
    expect(await runs.list({ limit: 10 })).toHaveLength(1);
  });

  test('keep all their changes, however many; a list shows the first and their number', async () => {
    const runs = new Runs(parts.freshTable(), ['prod', 'staging']);
    const changes = Array.from({ length: 5_000 }, (_, index) =>
      change(`app-${index}`, `spec.replicas ${index}`),
    );
    const long = run(1, 'prod', 'app', changes);
    await runs.append(long);
    expect((await runs.get('prod', long.id))?.changes).toEqual(changes);
    const [listed] = await runs.list({ cluster: 'prod', limit: 1 });
    expect(listed?.changeCount).toBe(5_000);
    expect(listed?.changes[0]).toEqual(changes[0]);
    expect(listed?.changes.length).toBeLessThan(5_000);
  });

  test('with a detail or message that is too long are kept with its beginning', async () => {
    const runs = new Runs(parts.freshTable(), ['prod', 'staging']);
    const changes500 = [change('a', 'x'.repeat(500_000)), change('b')];
    const long = { ...run(1, 'prod', 'app', changes500), message: 'm'.repeat(500_000) };
    await runs.append(long);
    expect((await runs.get('prod', long.id))?.message).toBe(`${'m'.repeat(10_000)}…`);
    const changes = (await runs.get('prod', long.id))?.changes;
    expect(changes?.map(({ ref }) => ref.name)).toEqual(['a', 'b']);
    expect(changes?.[0]?.detail).toBe(`${'x'.repeat(10_000)}…`);
  });

  test('that did nothing are kept too', async () => {
    const runs = new Runs(parts.freshTable(), ['prod', 'staging']);
    await runs.append(run(1, 'prod', 'app', []));
    expect((await runs.list({ cluster: 'prod', limit: 1 }))[0]?.changes).toEqual([]);
  });

  test('are whole in every list or in none when the process dies while one is appended', async () => {
    const long = run(
      1,
      'prod',
      'app',
      Array.from({ length: 3_000 }, (_, index) => change(`app-${index}`)),
    );
    const writes = await dieAtEveryWrite(
      parts.freshTable,
      async () => {},
      (table) => new Runs(table, ['prod', 'staging']).append(long),
      async (table) => {
        const runs = new Runs(table, ['prod', 'staging']);
        const all = await runs.list({ limit: 10 });
        expect(await runs.list({ cluster: 'prod', limit: 10 })).toEqual(all);
        expect(await runs.list({ cluster: 'prod', object: 'Kustomization/apps/app', limit: 10 })).toEqual(
          all,
        );
        expect((await runs.get('prod', long.id))?.changes ?? []).toHaveLength(all.length === 0 ? 0 : 3_000);
      },
    );
    expect(writes).toBe(3);
  });
});
