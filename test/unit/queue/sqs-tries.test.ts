import { afterAll, afterEach, beforeAll, beforeEach, expect, test, vi } from 'vitest';
import { MAX_RECEIVE_COUNT } from '../../../functions/aws/environment.ts';
import type { Queue, ReceivedMessage } from '../../../lib/queue/queue.ts';
import { sqsQueue } from '../../../lib/queue/sqs.ts';
import { type Fauxqs, type QueueUrls, startSqsAndS3 } from '../../support/fauxqs.ts';
import { type MemoryTries, memoryTries } from '../../support/memory-tries.ts';

const MINUTE = 60_000;

let server: Fauxqs;
let urls: QueueUrls;
let tries: MemoryTries;
let queue: Queue;
let count = 0;
beforeAll(async () => {
  server = await startSqsAndS3();
});
afterAll(() => server.stop());
// The server runs in this process and goes by `Date`, which only the tests move.
beforeEach(async () => {
  vi.useFakeTimers({ toFake: ['Date'] });
  count += 1;
  urls = await server.createQueues(`tries-${count}`, MAX_RECEIVE_COUNT);
  tries = memoryTries();
  queue = open();
});
afterEach(() => {
  vi.useRealTimers();
});

/** The queue as a new process sees it. */
function open(): Queue {
  return sqsQueue({ sqs: server.api, ...urls, tries, now: () => Date.now() });
}

function send(...names: string[]): Promise<void> {
  return queue.send(names.map((name) => ({ group: name, deduplicationId: name, body: name })));
}

function take(): Promise<ReceivedMessage[]> {
  return queue.receive({ max: 10, waitMs: 0, visibilityMs: MINUTE });
}

function pass(ms: number): void {
  vi.setSystemTime(Date.now() + ms);
}

async function dead(): Promise<string[]> {
  return (await queue.deadLetters(10)).map(({ body }) => body);
}

/** What is begun of all that a process takes. */
async function begin(): Promise<ReceivedMessage[]> {
  const begun: ReceivedMessage[] = [];
  for (const message of await take()) if ((await queue.admit(message)) === 'begin') begun.push(message);
  return begun;
}

/** The process ends with all that it has in hand, which comes back after a minute. */
function end(): void {
  queue = open();
  pass(MINUTE + 1_000);
}

test('a job that ends its worker becomes a dead letter alone, in bounded time, and those beside it are done', async () => {
  await send('poison', 'one', 'two', 'three');
  const began = Date.now();
  const done: string[] = [];
  let ends = 0;
  while ((await dead()).length === 0) {
    const begun = await begin();
    // Whoever begins the poison ends before anything else is done.
    if (begun.some(({ body }) => body === 'poison')) {
      ends += 1;
      end();
      continue;
    }
    for (const message of begun) {
      done.push(message.body);
      await queue.acknowledge(message);
    }
    pass(10_000);
    expect(Date.now() - began).toBeLessThan(60 * MINUTE);
  }
  expect(await dead()).toEqual(['poison']);
  expect(ends).toBe(10);
  while (done.length < 3) {
    for (const message of await begin()) {
      done.push(message.body);
      await queue.acknowledge(message);
    }
    pass(10_000);
    expect(Date.now() - began).toBeLessThan(60 * MINUTE);
  }
  expect(done.toSorted()).toEqual(['one', 'three', 'two']);
});

test('a message that fails is given up as often as it has failed, however often a worker ended meanwhile', async () => {
  await send('a');
  for (let life = 0; life < 6; life += 1) {
    expect(await begin()).toHaveLength(1);
    end();
  }
  for (let failure = 0; failure < 5; failure += 1) {
    const [message] = await begin();
    if (!message) throw new Error(`given up after ${failure} failures`);
    await queue.fail(message);
  }
  expect(await take()).toEqual([]);
  expect(await queue.deadLetters(10)).toMatchObject([{ body: 'a', receiveCount: 11 }]);
});

test('a job outlives any number of workers that end with it in hand and are told to, and of those that only took it', async () => {
  await send('a');
  for (let life = 0; life < 30; life += 1) {
    const [message] = await begin();
    if (!message) throw new Error('it is not begun any more');
    // A worker that is told to end gives it back.
    await queue.release(message);
    queue = open();
  }
  for (let life = 0; life < 30; life += 1) {
    expect(await take()).toHaveLength(1);
    end();
  }
  expect(await begin()).toHaveLength(1);
  expect(await dead()).toEqual([]);
});

test('of those that were in hand at several ends a process begins one at a time, and the others come later', async () => {
  await send('one', 'two', 'three');
  for (let life = 0; life < 3; life += 1) {
    expect(await begin()).toHaveLength(3);
    end();
  }
  const [first, ...others] = await begin();
  expect(others).toEqual([]);
  if (first) await queue.acknowledge(first);
  pass(11_000);
  expect(await begin()).toHaveLength(1);
});

test('asks nothing of the table for messages that are done, nor for those of which a worker took its leave once', async () => {
  await send('a', 'b');
  const [first] = await begin();
  if (first) await queue.acknowledge(first);
  end();
  for (const message of await begin()) await queue.acknowledge(message);
  expect(tries.requests).toBe(0);
});

test('while the table does not answer nothing is given up, and what failed comes again', async () => {
  await send('a');
  const { get } = tries.table;
  tries.table.get = () => Promise.reject(new Error('throttled'));
  for (let failure = 0; failure < 8; failure += 1) {
    const [message] = await take();
    if (!message) throw new Error('it does not come again');
    const admitted = await queue.admit(message).catch(() => 'unknown');
    expect(admitted).toBe(failure < 3 ? 'begin' : 'unknown');
    await expect(queue.fail(message)).rejects.toThrow('throttled');
  }
  tries.table.get = get;
  expect(await begin()).toHaveLength(1);
});
