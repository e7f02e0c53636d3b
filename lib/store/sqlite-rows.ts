import type { DatabaseSync } from 'node:sqlite';
import type { Handlers, StoredRow } from './sqlite-protocol.ts';

const COLUMNS = 'partition, sort, value, version, expires_at AS expiresAt';
const LIVE = '(expires_at = 0 OR expires_at > :now)';

/** How many expired rows a write takes away; more than one write adds, so that they never pile up. */
const SWEEP = 200;

type RowHandlers = Pick<Handlers, 'table.get' | 'table.put' | 'table.delete' | 'table.query' | 'table.batch'>;

/** The table's operations on an open database, for the thread that owns it. */
export function rowHandlers(database: DatabaseSync): RowHandlers {
  const sql = {
    get: database.prepare(
      `SELECT ${COLUMNS} FROM rows WHERE tbl = :table AND partition = :partition AND sort = :sort AND ${LIVE}`,
    ),
    put: database.prepare(
      `INSERT INTO rows (tbl, partition, sort, value, version, expires_at)
       VALUES (:table, :partition, :sort, :value, :version, :expiresAt)
       ON CONFLICT (tbl, partition, sort) DO UPDATE
       SET value = excluded.value, version = excluded.version, expires_at = excluded.expires_at`,
    ),
    delete: database.prepare(
      'DELETE FROM rows WHERE tbl = :table AND partition = :partition AND sort = :sort',
    ),
    expire: database.prepare(
      `DELETE FROM rows WHERE rowid IN (
         SELECT rowid FROM rows WHERE expires_at > 0 AND expires_at <= :now ORDER BY expires_at LIMIT ${SWEEP})`,
    ),
    newest: database.prepare('SELECT max(version) AS version FROM rows'),
  };
  const queries = {
    forward: database.prepare(queryOf('ASC', false)),
    forwardTo: database.prepare(queryOf('ASC', true)),
    backward: database.prepare(queryOf('DESC', false)),
    backwardTo: database.prepare(queryOf('DESC', true)),
  };

  // Versions grow over all rows, so that a deleted and re-created row never gets one that it had before.
  let last = (sql.newest.get() as { version: number | null }).version ?? 0;
  function nextVersion(now: number): number {
    last = Math.max(last + 1, Math.floor(now) * 1_000);
    return last;
  }

  function get(key: { table: string; partition: string; sort: string; now: number }): StoredRow | undefined {
    const { table, partition, sort, now } = key;
    return sql.get.get({ table, partition, sort, now }) as StoredRow | undefined;
  }

  return {
    'table.get': get,
    'table.put': ({ table, partition, sort, value, expiresAt, ifVersion, now }) => {
      if (ifVersion !== undefined) {
        const current = get({ table, partition, sort, now })?.version ?? 0;
        if (current !== ifVersion) return undefined;
      }
      const version = nextVersion(now);
      sql.put.run({ table, partition, sort, value, version, expiresAt });
      sql.expire.run({ now });
      return version;
    },
    'table.delete': ({ table, partition, sort, ifVersion, now }) => {
      if (ifVersion !== undefined) {
        const current = get({ table, partition, sort, now })?.version ?? 0;
        if (current !== ifVersion) return false;
      }
      sql.delete.run({ table, partition, sort });
      return true;
    },
    'table.query': ({ table, partition, from, to, reverse, limit, now }) => {
      const base = { table, partition, from, limit, now };
      const rows =
        to === undefined
          ? (reverse ? queries.backward : queries.forward).all(base)
          : (reverse ? queries.backwardTo : queries.forwardTo).all({ ...base, to });
      return rows as unknown as StoredRow[];
    },
    'table.batch': ({ table, writes, now }) => {
      for (const write of writes) {
        if ('put' in write) sql.put.run({ table, ...write.put, version: nextVersion(now) });
        else sql.delete.run({ table, partition: write.delete.partition, sort: write.delete.sort });
      }
      sql.expire.run({ now });
      return undefined;
    },
  };
}

function queryOf(direction: 'ASC' | 'DESC', bounded: boolean): string {
  return `SELECT ${COLUMNS} FROM rows
          WHERE tbl = :table AND partition = :partition AND sort >= :from ${bounded ? 'AND sort < :to' : ''} AND ${LIVE}
          ORDER BY sort ${direction} LIMIT :limit`;
}
