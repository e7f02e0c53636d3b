import { mkdir } from 'node:fs/promises';
import { MAX_FAILURES } from '../queue/limits.ts';
import type { Queue } from '../queue/queue.ts';
import { sqliteQueue } from '../queue/sqlite.ts';
import { realTimers, type Timers } from '../queue/timers.ts';
import { connectSqlite } from './sqlite-connection.ts';
import { sqliteTable } from './sqlite-table.ts';
import type { Table } from './table.ts';

/** Options of {@link openSqlite}. */
export interface SqliteOptions {
  /** Created when absent, readable by its owner alone. One process at a time may use it. */
  directory: string;
  /** Epoch in ms. */
  now: () => number;
  /** Default: the real ones. */
  timers?: Timers;
  /** A message whose handling failed so often becomes a dead letter; ends of the process do not count. Default 5. */
  maxFailures?: number;
}

/** The queues and tables of one directory. */
export interface Sqlite {
  /** The queue of that name; the same object each time. */
  queue(name: string): Queue;
  table(name: string): Table;
  /** Ends waiting receives with nothing, finishes what was asked, gives up the directory. */
  close(): Promise<void>;
}

/**
 * Opens the database in a directory, in its own thread. Every write is on disk (WAL, `synchronous=FULL`) when its promise
 * resolves; writes that are made at the same time share one fsync. Messages that a process before this one held are free again, see
 * `lib/queue/sqlite-restart.ts`.
 * @throws Error naming the directory and the process that uses it, when it is in use
 */
export async function openSqlite(options: SqliteOptions): Promise<Sqlite> {
  const { directory, now, timers = realTimers, maxFailures = MAX_FAILURES } = options;
  await mkdir(directory, { recursive: true, mode: 0o700 });
  const connection = await connectSqlite(directory, now());
  const queues = new Map<string, Queue>();
  return {
    queue(name) {
      const queue = queues.get(name) ?? sqliteQueue(connection, { name, now, timers, maxFailures });
      queues.set(name, queue);
      return queue;
    },
    table: (name) => sqliteTable(connection, name, now),
    async close() {
      await Promise.all([...queues.values()].map((queue) => queue.close()));
      await connection.close();
    },
  };
}
