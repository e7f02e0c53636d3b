import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Subscription, Subscriptions } from '../../../lib/store/subscriptions.ts';
import { dieAtEveryWrite } from '../../support/failing-table.ts';
import { type TestSqlite, testSqlite } from '../../support/sqlite.ts';

let parts: TestSqlite;
beforeAll(async () => {
  parts = await testSqlite();
});
afterAll(() => parts.close());

function subscription(cluster: string, name: string, repository: string): Subscription {
  const ref = { branch: 'main' };
  return {
    cluster,
    group: 'source.toolkit.fluxcd.io',
    kind: 'GitRepository',
    namespace: 'apps',
    name,
    repository,
    ref,
  };
}
const REPOSITORY = 'git.example/team/app';

async function namesOf(subscriptions: Subscriptions, repository: string): Promise<string[]> {
  return (await subscriptions.find(repository)).map(({ cluster, name }) => `${cluster}/${name}`);
}

describe('subscriptions', () => {
  test('are found by repository, in every cluster', async () => {
    const subscriptions = new Subscriptions(parts.freshTable(), ['prod', 'staging']);
    const own = subscription('prod', 'app', REPOSITORY);
    await subscriptions.replace('prod', [own, subscription('prod', 'web', 'git.example/team/web')]);
    await subscriptions.replace('staging', [subscription('staging', 'app', REPOSITORY)]);
    expect(await namesOf(subscriptions, REPOSITORY)).toEqual(['prod/app', 'staging/app']);
    expect((await subscriptions.find(REPOSITORY))[0]).toEqual(own);
    expect(await subscriptions.find('git.example/team')).toEqual([]);
  });

  test('of a cluster are replaced by what it has now, and others stay', async () => {
    const subscriptions = new Subscriptions(parts.freshTable(), ['prod', 'staging']);
    const moved = subscription('prod', 'moved', REPOSITORY);
    await subscriptions.replace('staging', [subscription('staging', 'app', REPOSITORY)]);
    await subscriptions.replace('prod', [moved, subscription('prod', 'gone', REPOSITORY)]);
    const changed = { ...subscription('prod', 'kept', REPOSITORY), ref: { tag: 'v1' } };
    await subscriptions.replace('prod', [{ ...moved, repository: 'git.example/new' }, changed]);
    expect(await namesOf(subscriptions, REPOSITORY)).toEqual(['prod/kept', 'staging/app']);
    expect(await namesOf(subscriptions, 'git.example/new')).toEqual(['prod/moved']);
    await subscriptions.replace('prod', [{ ...changed, ref: { tag: 'v2' } }]);
    expect((await subscriptions.find(REPOSITORY))[0]?.ref).toEqual({ tag: 'v2' });
    await subscriptions.replace('prod', []);
    expect(await namesOf(subscriptions, REPOSITORY)).toEqual(['staging/app']);
  });

  test('of one object can be removed', async () => {
    const subscriptions = new Subscriptions(parts.freshTable(), ['prod', 'staging']);
    await subscriptions.replace('prod', [
      subscription('prod', 'app', REPOSITORY),
      subscription('prod', 'app2', REPOSITORY),
    ]);
    await subscriptions.remove('prod', 'GitRepository/apps/app');
    await subscriptions.remove('prod', 'GitRepository/apps/unknown');
    expect(await namesOf(subscriptions, REPOSITORY)).toEqual(['prod/app2']);
  });

  test('number thousands for one repository', async () => {
    const subscriptions = new Subscriptions(parts.freshTable(), ['prod', 'staging']);
    const all = Array.from({ length: 1_500 }, (_, index) =>
      subscription('prod', `app-${index}`, index % 2 === 0 ? REPOSITORY : `git.example/r${index}`),
    );
    await subscriptions.replace('prod', all);
    expect(await subscriptions.find(REPOSITORY)).toHaveLength(750);
  });

  test('end right when the process dies in the middle of a replacement and the next one repeats it', async () => {
    const before = [
      subscription('prod', 'moved', REPOSITORY),
      subscription('prod', 'gone', REPOSITORY),
      subscription('prod', 'kept', REPOSITORY),
    ];
    const after = [
      subscription('prod', 'moved', 'git.example/new'),
      subscription('prod', 'kept', REPOSITORY),
      subscription('prod', 'fresh', REPOSITORY),
    ];
    const writes = await dieAtEveryWrite(
      parts.freshTable,
      (table) => new Subscriptions(table, ['prod', 'staging']).replace('prod', before),
      (table) => new Subscriptions(table, ['prod', 'staging']).replace('prod', after),
      async (table) => {
        const subscriptions = new Subscriptions(table, ['prod', 'staging']);
        await subscriptions.replace('prod', after);
        expect(await namesOf(subscriptions, REPOSITORY)).toEqual(['prod/fresh', 'prod/kept']);
        expect(await namesOf(subscriptions, 'git.example/new')).toEqual(['prod/moved']);
        await subscriptions.replace('prod', []);
        expect(await namesOf(subscriptions, REPOSITORY)).toEqual([]);
      },
    );
    expect(writes).toBeGreaterThan(1);
  });
});
