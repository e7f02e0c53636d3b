import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Guest, Guests } from '../../../lib/store/guests.ts';
import { type TestSqlite, testSqlite } from '../../support/sqlite.ts';

let parts: TestSqlite;
beforeAll(async () => {
  parts = await testSqlite();
});
afterAll(() => parts.close());

function guest(name: string, more: Partial<Guest> = {}): Guest {
  return {
    key: `GitRepository/apps/${name}`,
    ref: { group: 'source.toolkit.fluxcd.io', kind: 'GitRepository', namespace: 'apps', name },
    source: 'GitRepository/flux-system/fleet',
    commit: 'a'.repeat(40),
    writer: 'Kustomization/flux-system/fleet',
    uid: 'u',
    generation: 1,
    ...more,
  };
}

function open(): Guests {
  return new Guests(parts.freshTable(), parts.clock.now);
}

describe('a guest', () => {
  test('is found by its object in its cluster, and not by one whose name begins alike', async () => {
    const guests = open();
    await guests.invite('prod', [guest('shop'), guest('shop-2')]);
    await guests.invite('staging', [guest('shop', { generation: 7 })]);
    expect(await guests.of('prod', 'GitRepository/apps/shop')).toMatchObject([guest('shop')]);
    expect(await guests.of('prod', 'GitRepository/apps/sho')).toEqual([]);
  });

  test('has a part in one commit of each source that has written it', async () => {
    const guests = open();
    const other = 'GitRepository/apps/other';
    await guests.invite('prod', [guest('shop'), guest('shop', { source: other })]);
    await guests.invite('prod', [guest('shop', { commit: 'b'.repeat(40) })]);
    const found = await guests.of('prod', 'GitRepository/apps/shop');
    expect(found.map(({ source, commit }) => [source, commit[0]])).toEqual([
      [other, 'a'],
      ['GitRepository/flux-system/fleet', 'b'],
    ]);
    expect(await guests.all('prod', other)).toHaveLength(1);
    expect(await guests.all('prod')).toHaveLength(2);
  });

  test('that is invited again meanwhile is not forgotten', async () => {
    const guests = open();
    await guests.invite('prod', [guest('shop')]);
    const [before] = await guests.all('prod');
    await guests.invite('prod', [guest('shop', { generation: 2 })]);
    expect(before && (await guests.dismiss('prod', before))).toBe(false);
    const [after] = await guests.all('prod');
    expect(after && (await guests.dismiss('prod', after))).toBe(true);
    expect(await guests.all('prod')).toEqual([]);
  });
});
