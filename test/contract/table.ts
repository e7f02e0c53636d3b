import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { Table } from '../../lib/store/table.ts';

/** A table and its clock. */
export interface TableUnderTest {
  table: Table;
  /** Moves the table's clock on. */
  advance(ms: number): void;
  now(): number;
  close(): Promise<void>;
}

/** What every implementation of the table must do. The tests share one table and keep to their own partitions. */
export function tableContract(name: string, open: () => Promise<TableUnderTest>): void {
  describe(name, () => {
    let parts: TableUnderTest;
    let table: Table;
    let count = 0;
    let own = '';

    beforeAll(async () => {
      parts = await open();
      table = parts.table;
    });
    afterAll(() => parts.close());
    beforeEach(() => {
      count += 1;
      own = `partition ${count}`;
    });

    async function sorts(options?: Parameters<Table['query']>[1]): Promise<string[]> {
      return (await table.query(own, options)).map(({ sort }) => sort);
    }
    async function fill(...keys: string[]): Promise<void> {
      await table.batch(keys.map((sort) => ({ put: { partition: own, sort, value: sort } })));
    }

    test('gives back any JSON value under its key', async () => {
      const values = [{ a: [1, -2.5, true, null, ''], ü: { '': '\u0000🚀' } }, 'text', 0, false, null, []];
      for (const [index, value] of values.entries()) await table.put(own, `row/${index}`, value);
      for (const [index, value] of values.entries()) {
        const row = await table.get(own, `row/${index}`);
        expect(row).toMatchObject({ partition: own, sort: `row/${index}`, expiresAt: 0 });
        expect(row?.value).toEqual(value);
      }
      expect(await table.get(own, 'other')).toBeUndefined();
      expect(await table.get(`${own}x`, 'row/0')).toBeUndefined();
    });

    test('gives every write of a row a higher version, also after it was deleted', async () => {
      const versions: number[] = [];
      for (let time = 0; time < 3; time += 1) {
        versions.push((await table.put(own, 'a', 1)) as number);
        versions.push((await table.put(own, 'a', 2)) as number);
        expect((await table.get(own, 'a'))?.version).toBe(versions.at(-1));
        await table.batch([{ put: { partition: own, sort: 'a', value: 3 } }]);
        versions.push((await table.get(own, 'a'))?.version as number);
        expect(await table.delete(own, 'a')).toBe(true);
        parts.advance(1);
      }
      expect(versions).toEqual([...new Set(versions)].sort((left, right) => left - right));
      expect(versions[0]).toBeGreaterThan(0);
    });

    test('writes under a condition only if the row has that version', async () => {
      const first = (await table.put(own, 'a', 'one', { ifVersion: 0 })) as number;
      expect(first).toBeGreaterThan(0);
      expect(await table.put(own, 'a', 'two', { ifVersion: 0 })).toBeUndefined();
      const second = (await table.put(own, 'a', 'three', { ifVersion: first })) as number;
      expect(await table.put(own, 'a', 'four', { ifVersion: first })).toBeUndefined();
      expect((await table.get(own, 'a'))?.value).toBe('three');
      expect(await table.put(own, 'missing', 'x', { ifVersion: first })).toBeUndefined();
      expect(await table.get(own, 'missing')).toBeUndefined();
      expect(await table.delete(own, 'a', { ifVersion: first })).toBe(false);
      expect(await table.delete(own, 'a', { ifVersion: second })).toBe(true);
      expect(await table.delete(own, 'a', { ifVersion: second })).toBe(false);
      expect(await table.delete(own, 'a')).toBe(true);
    });

    test('lets exactly one of many concurrent writers win', async () => {
      const version = (await table.put(own, 'a', 0)) as number;
      const results = await Promise.all(
        Array.from({ length: 20 }, (_, index) => table.put(own, 'a', index, { ifVersion: version })),
      );
      const winners = results.flatMap((result, index) => (result === undefined ? [] : [index]));
      expect(winners).toHaveLength(1);
      expect((await table.get(own, 'a'))?.value).toBe(winners[0]);
    });

    test('counts a row as absent once it has expired', async () => {
      const expiresAt = parts.now() + 5_000;
      const version = (await table.put(own, 'a', 1, { expiresAt })) as number;
      await table.batch([{ put: { partition: own, sort: 'b', value: 1, expiresAt } }]);
      await fill('c');
      expect(await table.get(own, 'a')).toMatchObject({ expiresAt });
      expect(await table.get(own, 'b')).toMatchObject({ expiresAt });
      parts.advance(5_000);
      expect(await table.get(own, 'a')).toBeUndefined();
      expect(await sorts()).toEqual(['c']);
      expect(await sorts({ limit: 1 })).toEqual(['c']);
      expect(await table.put(own, 'a', 2, { ifVersion: version })).toBeUndefined();
      expect(await table.delete(own, 'b', { ifVersion: version })).toBe(false);
      expect(await table.put(own, 'a', 2, { ifVersion: 0 })).toBeGreaterThan(version);
      expect(await table.get(own, 'a')).toMatchObject({ value: 2, expiresAt: 0 });
    });

    test('queries a partition in bytewise order, forwards and backwards', async () => {
      const keys = ['A', 'a', 'a/b', 'aa', 'b', 'ä', '\uffee', '🚀'];
      await fill(...[...keys].reverse());
      expect(await sorts()).toEqual(keys);
      expect(await sorts({ reverse: true })).toEqual([...keys].reverse());
      expect(await sorts({ reverse: true, limit: 2 })).toEqual(['🚀', '\uffee']);
      expect(await sorts({ limit: 3 })).toEqual(['A', 'a', 'a/b']);
      expect(await sorts({ limit: 0 })).toEqual([]);
    });

    test('queries by prefix and by range, and by both', async () => {
      await fill('a', 'a/1', 'a/2', 'a/3', 'a0', 'b', 'a/🚀');
      expect(await sorts({ prefix: 'a/' })).toEqual(['a/1', 'a/2', 'a/3', 'a/🚀']);
      expect(await sorts({ from: 'a/2' })).toEqual(['a/2', 'a/3', 'a/🚀', 'a0', 'b']);
      expect(await sorts({ to: 'a/2' })).toEqual(['a', 'a/1']);
      expect(await sorts({ from: 'a/1', to: 'a/3' })).toEqual(['a/1', 'a/2']);
      expect(await sorts({ prefix: 'a/', from: 'a/2' })).toEqual(['a/2', 'a/3', 'a/🚀']);
      expect(await sorts({ prefix: 'a/', to: 'a/3', reverse: true })).toEqual(['a/2', 'a/1']);
      expect(await sorts({ prefix: 'a/', from: '0', to: 'z' })).toHaveLength(4);
      expect(await sorts({ from: 'c', to: 'b' })).toEqual([]);
      expect(await sorts({ from: 'a', to: 'a' })).toEqual([]);
      expect(await sorts({ prefix: 'a/', to: 'a' })).toEqual([]);
      expect(await sorts({ prefix: 'x' })).toEqual([]);
    });

    test('writes and deletes any number of rows, and queries them all', async () => {
      const names = Array.from({ length: 230 }, (_, index) => `row ${String(index).padStart(4, '0')}`);
      await fill(...names);
      expect(await sorts()).toEqual(names);
      await table.batch(names.slice(0, 200).map((sort) => ({ delete: { partition: own, sort } })));
      expect(await sorts()).toEqual(names.slice(200));
      await table.batch([]);
      await table.batch([
        { put: { partition: own, sort: 'twice', value: 1 } },
        { put: { partition: own, sort: 'twice', value: 2 } },
      ]);
      expect((await table.get(own, 'twice'))?.value).toBe(2);
    });

    test('queries more than one answer of the database holds', async () => {
      const value = 'x'.repeat(200_000);
      const keys = Array.from({ length: 12 }, (_, index) => String.fromCharCode(97 + index));
      await table.batch(keys.map((sort) => ({ put: { partition: own, sort, value } })));
      expect(await sorts()).toEqual(keys);
      expect(await sorts({ limit: 11, reverse: true })).toEqual([...keys].reverse().slice(0, 11));
    });

    test('refuses rows that are too large and keys that cannot be kept', async () => {
      await table.put(own, 'large', 'x'.repeat(389_000));
      await expect(table.put(own, 'row', 'ü'.repeat(200_000))).rejects.toThrow(/row .* at most 390000 fit/);
      const tooLarge = { put: { partition: own, sort: 'other', value: 'x'.repeat(400_000) } };
      await expect(table.batch([tooLarge])).rejects.toThrow('at most 390000 fit');
      await expect(table.put(own, 'row', undefined)).rejects.toThrow('not JSON');
      await expect(table.put(own, '', 1)).rejects.toThrow('sort key "" is empty');
      await expect(table.put('', 'a', 1)).rejects.toThrow('partition key "" is empty');
      await expect(table.put(own, 'a\0b', 1)).rejects.toThrow('not allowed');
      await expect(table.get(own, '\ud800')).rejects.toThrow('not allowed');
      await expect(table.put(own, 'x'.repeat(1_025), 1)).rejects.toThrow('1025 bytes');
      expect(await sorts()).toEqual(['large']);
    });
  });
}
