import { DatabaseSync } from 'node:sqlite';
import { setTimeout as sleep } from 'node:timers/promises';

/**
 * Takes a lock that only one process holds, waiting while another has it. The system gives it back when its holder
 * dies, so none is ever stale. (SQLite locks its file the right way on every system.)
 * @param onWait called once when there is something to wait for
 * @returns gives the lock back
 */
export async function takeLock(file: string, onWait: () => void): Promise<() => void> {
  const database = new DatabaseSync(file);
  for (let waiting = false; ; ) {
    try {
      database.exec('BEGIN EXCLUSIVE');
      return () => database.close();
    } catch (error) {
      if (!/locked|busy/i.test(String(error))) throw error;
    }
    if (!waiting) onWait();
    waiting = true;
    await sleep(250);
  }
}
