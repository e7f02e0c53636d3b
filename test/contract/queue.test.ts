import { afterAll, afterEach, beforeAll, beforeEach, describe, vi } from 'vitest';
import { sqsQueue } from '../../lib/queue/sqs.ts';
import { sqsForwarder } from '../../lib/queue/sqs-forward.ts';
import { openSqlite } from '../../lib/store/sqlite.ts';
import { fakeClock } from '../support/fake-clock.ts';
import { type Fauxqs, startSqsAndS3 } from '../support/fauxqs.ts';
import { memoryTries } from '../support/memory-tries.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';
import { queueContract } from './queue.ts';

queueContract('queue in SQLite', async () => {
  const directory = await temporaryDirectory();
  const { now, timers, advance } = fakeClock();
  const sqlite = await openSqlite({ directory: directory.path, now, timers, maxFailures: 3 });
  return {
    queue: sqlite.queue('jobs'),
    advance: async (ms) => advance(ms),
    async close() {
      await sqlite.close();
      await directory.remove();
    },
  };
});

describe('on a server that speaks SQS', () => {
  let server: Fauxqs;
  let count = 0;
  beforeAll(async () => {
    server = await startSqsAndS3();
  });
  afterAll(() => server.stop());
  // The server runs in this process and goes by `Date`, which only the tests move.
  beforeEach(() => {
    vi.useFakeTimers({ toFake: ['Date'] });
  });
  afterEach(() => {
    vi.useRealTimers();
  });

  queueContract('queue in SQS', async () => {
    count += 1;
    const urls = await server.createQueues(`jobs-${count}`, 1_000);
    const queue = sqsQueue({
      sqs: server.api,
      ...urls,
      tries: memoryTries(),
      maxFailures: 3,
      now: () => Date.now(),
    });
    const forwarder = sqsForwarder({ sqs: server.api, ...urls, queueUrl: () => urls.queueUrl });
    return {
      queue,
      async advance(ms) {
        vi.setSystemTime(Date.now() + ms);
        while ((await forwarder.forwardDue({ waitMs: 0 })) > 0);
      },
      close: () => queue.close(),
    };
  });
});
