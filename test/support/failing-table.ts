import type { Table } from '../../lib/store/table.ts';

/** Thrown by a table that pretends that its process died. */
export class Died extends Error {}

/**
 * A table whose process dies before one of its writes: that write and all later ones are not done.
 * @param survives how many writes are done before; a batch counts as one
 */
export function failingTable(table: Table, survives: number): Table {
  let left = survives;
  function write<T>(work: () => Promise<T>): Promise<T> {
    left -= 1;
    return left < 0 ? Promise.reject(new Died(`dies before write ${survives + 1}`)) : work();
  }
  return {
    get: (partition, sort) => table.get(partition, sort),
    query: (partition, options) => table.query(partition, options),
    put: (partition, sort, value, options) => write(() => table.put(partition, sort, value, options)),
    delete: (partition, sort, options) => write(() => table.delete(partition, sort, options)),
    batch: (writes) => write(() => table.batch(writes)),
    close: () => table.close(),
  };
}

/**
 * Runs `work` once for every write at which it can die, each time on a fresh table.
 * @param work does its writes on the failing table
 * @param check looks at the real table after the death
 */
export async function dieAtEveryWrite(
  freshTable: () => Table,
  prepare: (table: Table) => Promise<void>,
  work: (table: Table) => Promise<unknown>,
  check: (table: Table) => Promise<void>,
): Promise<number> {
  for (let survives = 0; ; survives += 1) {
    const table = freshTable();
    await prepare(table);
    try {
      await work(failingTable(table, survives));
    } catch (error) {
      if (!(error instanceof Died)) throw error;
      await check(table);
      continue;
    }
    await check(table);
    return survives;
  }
}
