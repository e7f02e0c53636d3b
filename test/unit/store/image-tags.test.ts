import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { ImageTags, type TagRecord } from '../../../lib/store/image-tags.ts';
import { Died, failingTable } from '../../support/failing-table.ts';
import { type TestSqlite, testSqlite } from '../../support/sqlite.ts';

const KEY = 'ImageRepository/apps/app';

let parts: TestSqlite;
beforeAll(async () => {
  parts = await testSqlite();
});
afterAll(() => parts.close());

function record(tags: readonly string[]): TagRecord {
  return { image: 'ghcr.io/a/b', tags: [...tags], exclusionList: [], listedAt: 1, seen: {} };
}

/** So many tags, of random letters, that they do not fit into one row. */
function many(count: number): string[] {
  return Array.from({ length: count }, () => randomBytes(32).toString('hex'));
}

describe('the tags of images', () => {
  test('are kept by cluster and object until they are removed', async () => {
    const tags = new ImageTags(parts.freshTable());
    const full = { ...record(['b', 'a']), validator: '"1"', seen: { b: 5 }, exclusionList: ['x'] };
    await tags.put('prod', KEY, full);
    await tags.put('staging', KEY, record([]));
    expect(await tags.get('prod', KEY)).toEqual(full);
    expect(await tags.get('staging', KEY)).toEqual(record([]));
    expect(await tags.get('prod', 'ImageRepository/apps/other')).toBeUndefined();
    await tags.remove('prod', KEY);
    expect(await tags.get('prod', KEY)).toBeUndefined();
    expect(await tags.get('staging', KEY)).toBeDefined();
  });

  test('are kept whole however many they are, and leave nothing behind when they are replaced or removed', async () => {
    const table = parts.freshTable();
    const tags = new ImageTags(table);
    const pieces = async () => (await table.query(`image-tags-of#prod#${KEY}`)).length;
    const [large, larger] = [record(many(20_000)), record(many(40_000))];
    await tags.put('prod', KEY, large);
    expect(await tags.get('prod', KEY)).toEqual(large);
    expect(await pieces()).toBeGreaterThan(1);
    await tags.put('prod', KEY, larger);
    expect(await tags.get('prod', KEY)).toEqual(larger);
    await tags.put('prod', KEY, record(['a']));
    expect(await pieces()).toBe(0);
    await tags.put('prod', KEY, large);
    await tags.remove('prod', KEY);
    expect(await pieces()).toBe(0);
  });

  test('are those of before or those of after when the process dies at any of its writes', async () => {
    const [before, after] = [record(many(20_000)), record(many(20_000))];
    for (let survives = 0; ; survives++) {
      const table = parts.freshTable();
      await new ImageTags(table).put('prod', KEY, before);
      const died = await new ImageTags(failingTable(table, survives)).put('prod', KEY, after).then(
        () => false,
        (error: unknown) => error instanceof Died,
      );
      const found = await new ImageTags(table).get('prod', KEY);
      expect([before.tags, after.tags]).toContainEqual(found?.tags);
      if (!died) break;
    }
  });
});
