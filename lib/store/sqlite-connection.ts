import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import type {
  OperationName,
  Operations,
  Reply,
  Request,
  WorkerReady,
  WorkerStart,
} from './sqlite-protocol.ts';

/** Requests of one transaction: enough to share an fsync, few enough that a reader behind them does not wait long. */
const MAX_BATCH = 500;

/** The pause between two transactions, in ms: one for each request of the last one, up to this. The busier it is, the more share the cost of one. */
const MAX_PAUSE_MS = 8;

/** Asks the thread that owns a database. */
export interface SqliteConnection {
  /**
   * Resolves after the commit. Requests made while a commit is under way share the next one.
   * @throws Error naming the directory, when the operation failed or the connection is closed; nothing was written then
   */
  call<Name extends OperationName>(
    name: Name,
    args: Operations[Name]['args'],
  ): Promise<Operations[Name]['result']>;
  /** Finishes what was asked, then closes the file and gives up the lock. */
  close(): Promise<void>;
}

interface Waiting {
  request: Request;
  resolve(value: unknown): void;
  reject(error: Error): void;
}

/**
 * Starts the thread that owns the database in `directory`.
 * @param now epoch in ms
 * @throws Error naming the directory, and the process that holds it when it is in use
 */
export async function connectSqlite(directory: string, now: number): Promise<SqliteConnection> {
  const extension = import.meta.url.endsWith('.ts') ? 'ts' : 'js';
  const worker = new Worker(new URL(`./sqlite-worker.${extension}`, import.meta.url), {
    workerData: { directory, now } satisfies WorkerStart,
    execArgv: ['--disable-warning=ExperimentalWarning'],
  });
  const [first] = (await once(worker, 'message')) as [WorkerReady];
  if ('failed' in first) throw new Error(`The data directory ${directory} ${first.failed}.`);
  return connection(worker, directory);
}

function connection(worker: Worker, directory: string): SqliteConnection {
  let queued: Waiting[] = [];
  let running: Waiting[] = [];
  let broken: Error | undefined;
  let scheduled = false;
  let begunAt = 0;
  let shared = 0;
  let idle: (() => void) | undefined;

  function flush(): void {
    scheduled = false;
    if (running.length > 0 || queued.length === 0) return;
    begunAt = performance.now();
    running = queued.splice(0, MAX_BATCH);
    shared = running.length;
    worker.postMessage(running.map(({ request }) => request));
  }

  /** Whatever else is asked in this turn of the event loop, or too soon after the last transaction, goes into the same one. */
  function schedule(): void {
    if (scheduled) return;
    scheduled = true;
    const rest = Math.min(MAX_PAUSE_MS, shared) - (performance.now() - begunAt);
    if (rest < 1) setImmediate(flush);
    else setTimeout(flush, rest);
  }

  function fail(error: Error): void {
    broken ??= error;
    const lost = [...running, ...queued];
    running = [];
    queued = [];
    for (const { reject } of lost) reject(broken);
    idle?.();
  }

  worker.on('message', (replies: Reply[]) => {
    const answered = running;
    running = [];
    if (queued.length > 0) schedule();
    for (const [index, { resolve, reject }] of answered.entries()) {
      const reply = replies[index] as Reply;
      if ('value' in reply) resolve(reply.value);
      else reject(new Error(`The database in ${directory}: ${reply.error}.`));
    }
    if (running.length + queued.length === 0) idle?.();
  });
  worker.on('error', (error) => fail(new Error(`The database in ${directory}: ${error.message}.`)));
  worker.on('exit', () => fail(new Error(`The database in ${directory} is closed.`)));

  return {
    call: (name, args) =>
      new Promise((resolve, reject) => {
        if (broken) return reject(broken);
        queued.push({ request: { name, args }, resolve: resolve as (value: unknown) => void, reject });
        schedule();
      }),
    async close() {
      if (broken) return;
      const exited = once(worker, 'exit');
      if (running.length + queued.length > 0) {
        await new Promise<void>((resolve) => {
          idle = resolve;
        });
      }
      broken ??= new Error(`The database in ${directory} is closed.`);
      worker.postMessage('close');
      await exited;
    },
  };
}
