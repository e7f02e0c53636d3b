import { openSqlite } from '../../lib/store/sqlite.ts';
import { fakeClock } from '../support/fake-clock.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';
import { queueContract } from './queue.ts';

queueContract('queue in SQLite', async () => {
  const directory = await temporaryDirectory();
  const { now, timers, advance } = fakeClock();
  const sqlite = await openSqlite({ directory: directory.path, now, timers, maxReceiveCount: 3 });
  return {
    queue: sqlite.queue('jobs'),
    advance: async (ms) => advance(ms),
    async close() {
      await sqlite.close();
      await directory.remove();
    },
  };
});
