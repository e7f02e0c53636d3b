import { openSqlite, type Sqlite } from '../../lib/store/sqlite.ts';
import type { Table } from '../../lib/store/table.ts';
import { type FakeClock, fakeClock } from './fake-clock.ts';
import { temporaryDirectory } from './temporary-directory.ts';

/** A database in a directory of its own, with a clock that tests move. */
export interface TestSqlite {
  sqlite: Sqlite;
  clock: FakeClock;
  directory: string;
  /** A table that no other call gave. */
  freshTable(): Table;
  close(): Promise<void>;
}

/** Opens a database for tests; queues give up a message after three receives. */
export async function testSqlite(): Promise<TestSqlite> {
  const directory = await temporaryDirectory();
  const clock = fakeClock();
  const { now, timers } = clock;
  const sqlite = await openSqlite({ directory: directory.path, now, timers, maxFailures: 3 });
  let count = 0;
  return {
    sqlite,
    clock,
    directory: directory.path,
    freshTable() {
      count += 1;
      return sqlite.table(`table-${count}`);
    },
    async close() {
      await sqlite.close();
      await directory.remove();
    },
  };
}
