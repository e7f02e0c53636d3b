import { closeSync, openSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { parentPort, workerData } from 'node:worker_threads';
import { queueHandlers } from '../queue/sqlite-messages.ts';
import { freeAfterRestart } from '../queue/sqlite-restart.ts';
import type { Handlers, Reply, Request, WorkerReady, WorkerStart } from './sqlite-protocol.ts';
import { rowHandlers } from './sqlite-rows.ts';
import { migrate } from './sqlite-schema.ts';

/** SQLite's primary result code "busy": another connection holds the lock. */
const SQLITE_BUSY = 5;

// The thread that owns the database file: it takes the exclusive lock, then answers one list of requests after the
// other, each list in one transaction, so that many writes share one fsync.

function open({ directory, now }: WorkerStart): DatabaseSync {
  const file = join(directory, 'slipway.db');
  const pidFile = join(directory, 'slipway.pid');
  try {
    createPrivate(file);
    const database = new DatabaseSync(file);
    // The lock belongs to the open file, so it goes with the process however that ends.
    database.exec('PRAGMA locking_mode = EXCLUSIVE; PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL');
    database.exec('BEGIN IMMEDIATE');
    migrate(database);
    freeAfterRestart(database, now);
    database.exec('COMMIT');
    writeFileSync(pidFile, `${process.pid}\n`);
    return database;
  } catch (error) {
    if ((error as { errcode?: number }).errcode !== SQLITE_BUSY) throw error;
    throw new Error(
      `is in use by another Slipway (process ${readPid(pidFile)}): stop that one first, or give this one its own directory`,
    );
  }
}

/**
 * Makes the file for its owner alone, whoever may look into the directory; SQLite gives what it makes beside it the same mode. One that is
 * there is not opened: to close it again would give up the locks that this process has on it (https://sqlite.org/howtocorrupt.html, 2.2).
 */
function createPrivate(file: string): void {
  try {
    closeSync(openSync(file, 'wx', 0o600));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  }
}

function readPid(file: string): string {
  try {
    return readFileSync(file, 'utf8').trim();
  } catch {
    return 'unknown';
  }
}

function run(database: DatabaseSync, handlers: Handlers, requests: readonly Request[]): Reply[] {
  database.exec('BEGIN');
  try {
    const replies = requests.map((request) => ({ value: handle(handlers, request) }));
    database.exec('COMMIT');
    return replies;
  } catch (error) {
    if (database.isTransaction) database.exec('ROLLBACK');
    // One bad request must not take the others down with it.
    if (requests.length > 1) return requests.flatMap((request) => run(database, handlers, [request]));
    return [{ error: error instanceof Error ? error.message : String(error) }];
  }
}

function handle(handlers: Handlers, { name, args }: Request): unknown {
  // The protocol pairs names with arguments; the compiler cannot follow that through a union.
  return (handlers[name] as (args: Request['args']) => unknown)(args);
}

const port = parentPort;
if (port) {
  try {
    const database = open(workerData as WorkerStart);
    const handlers: Handlers = { ...rowHandlers(database), ...queueHandlers(database) };
    port.on('message', (requests: readonly Request[] | 'close') => {
      if (requests !== 'close') return port.postMessage(run(database, handlers, requests));
      database.close();
      port.close();
    });
    port.postMessage({ ready: true } satisfies WorkerReady);
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    port.postMessage({ failed: message } satisfies WorkerReady);
    port.close();
  }
}
