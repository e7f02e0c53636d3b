import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { MAX_RECEIVE_COUNT } from '../../../functions/aws/environment.ts';
import type { Job, ReconcileJob } from '../../../lib/core/job.ts';
import { silentLog } from '../../../lib/log.ts';
import { type BatchContext, handleBatch } from '../../../lib/pipeline/handle-batch.ts';
import type { Queue, ReceivedMessage } from '../../../lib/queue/queue.ts';
import { sqsQueue } from '../../../lib/queue/sqs.ts';
import { receivedOf } from '../../../lib/queue/sqs-message.ts';
import { receiveRecords } from '../../../lib/queue/sqs-receive.ts';
import { type Fauxqs, type QueueUrls, startSqsAndS3 } from '../../support/fauxqs.ts';
import { lambdaFifo } from '../../support/lambda-fifo.ts';
import { memoryTries } from '../../support/memory-tries.ts';

/** A message that failed so often is given up. */
const MAX_FAILURES = 3;

let server: Fauxqs;
let urls: QueueUrls;
let queue: Queue;
let count = 0;
beforeAll(async () => {
  server = await startSqsAndS3();
});
afterAll(() => server.stop());
beforeEach(async () => {
  count += 1;
  urls = await server.createQueues(`batch-${count}`, MAX_RECEIVE_COUNT);
  queue = sqsQueue({
    sqs: server.api,
    ...urls,
    tries: memoryTries(),
    maxFailures: MAX_FAILURES,
    now: Date.now,
  });
});

let ids = 0;
function context(more: Partial<BatchContext> = {}): BatchContext {
  const { signal } = new AbortController();
  return { log: silentLog, newId: () => `id-${++ids}`, now: Date.now, signal, ...more };
}

function job(name: string): ReconcileJob {
  return {
    type: 'reconcile',
    cluster: 'prod',
    group: 'kustomize.toolkit.fluxcd.io',
    kind: 'Kustomization',
    namespace: 'apps',
    name,
    trigger: 'push',
    requestedAt: 1,
  };
}

/** Sends jobs, `group/name` each. */
function send(...names: string[]): Promise<void> {
  return sendTo(queue, names);
}

function sendTo(target: Queue, names: readonly string[]): Promise<void> {
  return target.send(
    names.map((name) => ({
      group: name.split('/')[0] ?? '',
      deduplicationId: `sent-${++ids}`,
      body: JSON.stringify(job(name)),
    })),
  );
}

/** As Lambda's poller takes them: several of a group at once, hidden for as long as the function may run. */
async function poll(visibilityMs = 900_000): Promise<ReceivedMessage[]> {
  const settings = { max: 10, waitMs: 1_000, visibilityMs };
  return (await receiveRecords(server.api, urls.queueUrl, settings)).map(receivedOf);
}

function nameOf({ body }: { body: string }): string {
  return (JSON.parse(body) as ReconcileJob).name;
}

function recording(fails: (name: string) => boolean = () => false) {
  const handled: string[] = [];
  const handle = async (given: Job) => {
    const { name } = given as ReconcileJob;
    handled.push(name);
    if (fails(name)) throw new Error(`${name} fails`);
    return 'done' as const;
  };
  return { handled, handle };
}

describe('a batch of messages', () => {
  test('is handled group by group in order, and nothing of it comes again', async () => {
    const fifo = lambdaFifo(MAX_FAILURES);
    await sendTo(fifo.queue, ['a/1', 'b/1', 'a/2', 'a/3']);
    const { handled, handle } = recording();
    expect(await handleBatch(context(), fifo.queue, fifo.poll(), { handle })).toEqual([]);
    expect(handled.filter((name) => name.startsWith('a'))).toEqual(['a/1', 'a/2', 'a/3']);
    expect(handled).toContain('b/1');
    expect(fifo.poll()).toEqual([]);
  });

  test('stops a group at its first failure and returns it and the rest, while other groups go on', async () => {
    const fifo = lambdaFifo(MAX_FAILURES);
    await sendTo(fifo.queue, ['a/1', 'a/2', 'a/3', 'b/1', 'b/2']);
    const { handled, handle } = recording((name) => name === 'a/2');
    const left = await handleBatch(context(), fifo.queue, fifo.poll(), { handle });
    expect(left.map(nameOf)).toEqual(['a/2', 'a/3']);
    expect(handled.filter((name) => name.startsWith('a'))).toEqual(['a/1', 'a/2']);
    expect(handled.filter((name) => name.startsWith('b'))).toEqual(['b/1', 'b/2']);
    expect(fifo.poll().map(nameOf)).toEqual(['a/2', 'a/3']);
  });

  test('makes a dead letter of what always fails, and of nothing that stood behind it', async () => {
    const fifo = lambdaFifo(MAX_FAILURES);
    await sendTo(fifo.queue, ['a/poison', 'a/good', 'a/better']);
    const { handled, handle } = recording((name) => name === 'a/poison');
    for (let batch = fifo.poll(); batch.length > 0; batch = fifo.poll())
      await handleBatch(context(), fifo.queue, batch, { handle });
    expect(handled.filter((name) => name === 'a/poison')).toHaveLength(MAX_FAILURES);
    expect(handled.filter((name) => name !== 'a/poison')).toEqual(['a/good', 'a/better']);
    expect(fifo.dead.map((body) => nameOf({ body }))).toEqual(['a/poison']);
  });

  test('frees a group as soon as its own messages are done, however long the others take', async () => {
    await send('slow/1', 'quick/1');
    const messages = await poll();
    const { promise: finished, resolve: finish } = Promise.withResolvers<void>();
    const handling = handleBatch(context(), queue, messages, {
      async handle(given) {
        if ((given as ReconcileJob).name.startsWith('slow')) await finished;
        return 'done';
      },
    });
    await send('quick/2');
    const next = await queue.receive({ max: 1, waitMs: 8_000, visibilityMs: 1_000 });
    expect(next.map(nameOf)).toEqual(['quick/2']);
    finish();
    expect(await handling).toEqual([]);
  });

  test('makes a dead letter of a message that is no job', async () => {
    await queue.send([{ group: 'a', deduplicationId: `sent-${++ids}`, body: '{"type":"unknown"}' }]);
    const { handled, handle } = recording();
    for (let round = 0; round < MAX_FAILURES; round += 1) {
      const left = await handleBatch(context(), queue, await poll(), { handle });
      expect(left).toHaveLength(1);
      if (round < MAX_FAILURES - 1) for (const message of left) await queue.release(message, 0);
    }
    expect(await poll()).toEqual([]);
    expect(handled).toEqual([]);
    expect(await queue.deadLetters(10)).toHaveLength(1);
  });

  test('is given back untouched when there is no time left, or the process is stopping', async () => {
    await send('a/1', 'b/1');
    const { handled, handle } = recording();
    const late = await handleBatch(context({ endsAt: Date.now() - 1 }), queue, await poll(), {
      handle,
    });
    expect(late.map(nameOf).sort()).toEqual(['a/1', 'b/1']);
    for (const message of late) await queue.release(message, 0);
    const stopped = await handleBatch(context({ signal: AbortSignal.abort() }), queue, await poll(), {
      handle,
    });
    expect(stopped).toHaveLength(2);
    expect(handled).toEqual([]);
    expect(await queue.receive({ max: 10, waitMs: 2_000, visibilityMs: 1_000 })).toHaveLength(2);
  });

  test('leaves a message alone whose time was over before it could be claimed', async () => {
    await send('a/1');
    const [message] = await poll();
    if (!message) throw new Error('nothing was handed out');
    await queue.acknowledge(message);
    const { handled, handle } = recording();
    const left = await handleBatch(context(), queue, [message], { handle });
    expect(left).toEqual([message]);
    expect(handled).toEqual([]);
  });

  test('sends a job whose object somebody else is at as a new one, a moment later', async () => {
    await send('a/1');
    const left = await handleBatch(context(), queue, await poll(), {
      handle: async () => 'busy',
    });
    expect(left).toEqual([]);
    const delayed = await receiveRecords(server.api, urls.delayQueueUrl, {
      max: 1,
      waitMs: 5_000,
      visibilityMs: 1_000,
    });
    expect(delayed).toHaveLength(1);
    expect(JSON.parse(delayed[0]?.body ?? '')).toMatchObject({ queue: urls.name, group: 'a' });
  });
});
