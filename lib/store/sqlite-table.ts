import { boundsOf, checkKey, encodeValue } from './limits.ts';
import type { SqliteConnection } from './sqlite-connection.ts';
import type { StoredRow, StoredWrite } from './sqlite-protocol.ts';
import type { QueryOptions, Row, Table } from './table.ts';

/** Rows of one message to the thread: what one transaction of a large batch holds. */
const CHUNK = 500;

/** A table in the SQLite database behind `connection`; closing it leaves the connection open. */
export function sqliteTable(connection: SqliteConnection, table: string, now: () => number): Table {
  return {
    async get<T>(partition: string, sort: string) {
      checkKey({ partition, sort });
      const row = await connection.call('table.get', { table, partition, sort, now: now() });
      return row && decode<T>(row);
    },
    async put(partition, sort, value, { ifVersion, expiresAt = 0 } = {}) {
      checkKey({ partition, sort });
      const text = encodeValue(partition, sort, value);
      const key = { table, partition, sort };
      return connection.call('table.put', { ...key, value: text, expiresAt, ifVersion, now: now() });
    },
    async delete(partition, sort, { ifVersion } = {}) {
      checkKey({ partition, sort });
      return connection.call('table.delete', { table, partition, sort, ifVersion, now: now() });
    },
    async query<T>(partition: string, options: QueryOptions = {}) {
      const { from, to } = boundsOf(options);
      const { reverse = false, limit = -1 } = options;
      const args = { table, partition, from, to, reverse, limit, now: now() };
      const rows = await connection.call('table.query', args);
      return rows.map((row) => decode<T>(row));
    },
    async batch(writes) {
      const stored = writes.map((write): StoredWrite => {
        if ('delete' in write) {
          checkKey(write.delete);
          return write;
        }
        const { partition, sort, value, expiresAt = 0 } = write.put;
        checkKey(write.put);
        return { put: { partition, sort, value: encodeValue(partition, sort, value), expiresAt } };
      });
      const chunks: Promise<unknown>[] = [];
      for (let start = 0; start < stored.length; start += CHUNK) {
        const part = stored.slice(start, start + CHUNK);
        chunks.push(connection.call('table.batch', { table, writes: part, now: now() }));
      }
      await Promise.all(chunks);
    },
    async close() {},
  };
}

function decode<T>(row: StoredRow): Row<T> {
  return { ...row, value: JSON.parse(row.value) as T };
}
