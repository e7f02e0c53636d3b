import { beforeEach, describe, expect, test } from 'vitest';
import type { ReceivedMessage, ReceiveOptions } from '../../../lib/queue/queue.ts';
import { type Found, WaitingLine } from '../../../lib/queue/waiting-line.ts';
import { type FakeClock, fakeClock } from '../../support/fake-clock.ts';

/** A queue whose looks are counted and answered by the test. */
let clock: FakeClock;
let waitingMessages: string[];
let nextAt: number | undefined;
let looks: number;
let gate: Promise<void>;
let line: WaitingLine;

beforeEach(() => {
  clock = fakeClock();
  waitingMessages = [];
  nextAt = undefined;
  looks = 0;
  gate = Promise.resolve();
  line = new WaitingLine(look, clock.now, clock.timers);
});

async function look(requests: readonly ReceiveOptions[]): Promise<Found> {
  looks += 1;
  const batches = requests.map(({ max }) => waitingMessages.splice(0, max).map(message));
  const found = { batches, nextAt };
  await gate;
  return found;
}
function message(body: string): ReceivedMessage {
  return { id: body, receipt: body, group: body, body, receiveCount: 1, sentAt: 0 };
}
function receive(waitMs: number, signal?: AbortSignal): Promise<string[]> {
  const options = { max: 1, waitMs, visibilityMs: 1_000, ...(signal ? { signal } : {}) };
  return line.receive(options).then((messages) => messages.map(({ body }) => body));
}
/** Lets everything happen that waits for nothing but its turn. */
async function settle(): Promise<void> {
  for (let turn = 0; turn < 20; turn += 1) await Promise.resolve();
}

describe('receivers that wait', () => {
  test('cause no looks while nothing changes, and one timer', async () => {
    const waiting = [receive(20_000), receive(20_000), receive(20_000)];
    await settle();
    const before = looks;
    clock.advance(19_999);
    await settle();
    expect(looks).toBe(before);
    expect(clock.pending()).toBe(1);
    clock.advance(1);
    expect(await Promise.all(waiting)).toEqual([[], [], []]);
    expect(looks).toBe(before + 1);
    expect(clock.pending()).toBe(0);
  });

  test('are served in the order they came, as soon as something is there', async () => {
    const first = receive(20_000);
    const second = receive(20_000);
    await settle();
    waitingMessages.push('1', '2');
    line.wake();
    expect(await first).toEqual(['1']);
    expect(await second).toEqual(['2']);
  });

  test('look again when the next message becomes due, and not before', async () => {
    nextAt = clock.now() + 5_000;
    const waiting = receive(20_000);
    await settle();
    const before = looks;
    clock.advance(4_999);
    await settle();
    expect(looks).toBe(before);
    waitingMessages.push('due');
    nextAt = undefined;
    clock.advance(1);
    expect(await waiting).toEqual(['due']);
  });

  test('learn of a message sent while a look that did not see it was under way', async () => {
    let open = () => {};
    gate = new Promise((resolve) => {
      open = resolve;
    });
    const waiting = receive(20_000);
    await settle();
    waitingMessages.push('late');
    line.wake();
    open();
    expect(await waiting).toEqual(['late']);
  });

  test('are sent away by an abort, unless a message was handed to them at that moment', async () => {
    const stop = new AbortController();
    const waiting = receive(20_000, stop.signal);
    await settle();
    stop.abort();
    expect(await waiting).toEqual([]);
    expect(await receive(20_000, stop.signal)).toEqual([]);

    let open = () => {};
    gate = new Promise((resolve) => {
      open = resolve;
    });
    waitingMessages.push('handed');
    const late = new AbortController();
    const racing = receive(20_000, late.signal);
    await settle();
    late.abort();
    open();
    expect(await racing).toEqual(['handed']);
  });

  test('all learn of a failed look, and the next receive looks anew', async () => {
    gate = Promise.reject(new Error('disk full'));
    await expect(receive(20_000)).rejects.toThrow('disk full');
    gate = Promise.resolve();
    waitingMessages.push('1');
    expect(await receive(20_000)).toEqual(['1']);
  });

  test('are sent away when the line is closed, and nobody can come after', async () => {
    const waiting = receive(20_000);
    await settle();
    line.close();
    expect(await waiting).toEqual([]);
    expect(await receive(20_000)).toEqual([]);
    expect(clock.pending()).toBe(0);
  });
});
