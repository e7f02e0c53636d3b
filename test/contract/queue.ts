import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { OutgoingMessage, Queue, ReceivedMessage } from '../../lib/queue/queue.ts';

/** A fresh queue whose messages die after three receives. */
export interface QueueUnderTest {
  queue: Queue;
  /** Moves the queue's clock on. */
  advance(ms: number): Promise<void>;
  close(): Promise<void>;
}

const SECOND = 1_000;
const MINUTE = 60_000;

/** What every implementation of the queue must do. Times are whole seconds, since SQS knows no shorter ones. */
export function queueContract(name: string, open: () => Promise<QueueUnderTest>): void {
  describe(name, () => {
    let parts: QueueUnderTest;
    let queue: Queue;
    let sent: number;

    beforeEach(async () => {
      parts = await open();
      queue = parts.queue;
      sent = 0;
    });
    afterEach(() => parts.close());

    function message(group: string, body: string, more: Partial<OutgoingMessage> = {}): OutgoingMessage {
      sent += 1;
      return { group, body, deduplicationId: `id-${sent}`, ...more };
    }
    function take(max = 10, visibilityMs = 30 * SECOND): Promise<ReceivedMessage[]> {
      return queue.receive({ max, waitMs: 0, visibilityMs });
    }
    async function takeOne(): Promise<ReceivedMessage> {
      const [first] = await take(1);
      if (!first) throw new Error('the queue handed out nothing');
      return first;
    }
    function bodies(messages: readonly { body: string }[]): string[] {
      return messages.map(({ body }) => body);
    }

    test('hands out what was sent, with its group, and is empty after it was acknowledged', async () => {
      await queue.send([message('a', '{"x":"ü"}')]);
      const received = await takeOne();
      expect(received).toMatchObject({ group: 'a', body: '{"x":"ü"}', receiveCount: 1 });
      expect(received.sentAt).toBeGreaterThan(Date.UTC(2025));
      await queue.acknowledge(received);
      await parts.advance(MINUTE);
      expect(await take()).toEqual([]);
    });

    test('keeps the order of a group and has one of its messages in flight', async () => {
      await queue.send([message('a', '1'), message('a', '2'), message('b', '3')]);
      await queue.send([message('a', '4')]);
      const first = await take();
      expect(bodies(first).sort()).toEqual(['1', '3']);
      expect(await take()).toEqual([]);
      for (const expected of ['2', '4']) {
        const inFlight = first.find(({ group }) => group === 'a') as ReceivedMessage;
        await queue.acknowledge(inFlight);
        const next = await takeOne();
        expect(next.body).toBe(expected);
        first.splice(first.indexOf(inFlight), 1, next);
      }
    });

    test('keeps the order of a group and every message, when more are sent than one request holds', async () => {
      const many = Array.from({ length: 23 }, (_, index) => message('a', `body ${index}`));
      await queue.send([...many, ...many.map(({ body }) => message(`own ${body}`, body))]);
      const inOrder: string[] = [];
      const others = new Set<string>();
      for (;;) {
        const batch = await take();
        if (batch.length === 0) break;
        for (const received of batch) {
          if (received.group === 'a') inOrder.push(received.body);
          else others.add(`${received.group} ${received.body}`);
          await queue.acknowledge(received);
        }
      }
      expect(inOrder).toEqual(bodies(many));
      expect(others.size).toBe(23);
    });

    test('hands a message out again, first of its group, when its visibility timeout has passed', async () => {
      await queue.send([message('a', '1'), message('a', '2')]);
      const first = await takeOne();
      await parts.advance(29 * SECOND);
      expect(await take()).toEqual([]);
      await parts.advance(2 * SECOND);
      const second = await takeOne();
      expect(second).toMatchObject({ body: '1', receiveCount: 2, id: first.id });
      expect(second.receipt).not.toBe(first.receipt);
    });

    test('hides an extended message from the time of extension', async () => {
      await queue.send([message('a', '1')]);
      const received = await takeOne();
      await parts.advance(20 * SECOND);
      await queue.extend(received, 60 * SECOND);
      await parts.advance(59 * SECOND);
      expect(await take()).toEqual([]);
      await parts.advance(2 * SECOND);
      expect(await take()).toHaveLength(1);
    });

    test('refuses to extend, and ignores an acknowledgement, when the receipt is out of date', async () => {
      await queue.send([message('a', '1')]);
      const late = await takeOne();
      await parts.advance(31 * SECOND);
      await expect(queue.extend(late, MINUTE)).rejects.toThrow('out of date');
      await queue.acknowledge(late);
      const again = await takeOne();
      expect(again.body).toBe('1');
      await expect(queue.extend(late, MINUTE)).rejects.toThrow('out of date');
      await queue.acknowledge(late);
      await queue.release(late);
      await queue.fail(late);
      expect(await take()).toEqual([]);
      await queue.acknowledge(again);
      await parts.advance(MINUTE);
      expect(await take()).toEqual([]);
    });

    test('hands a released message out again at once or after its delay, before its successors', async () => {
      await queue.send([message('a', '1'), message('a', '2')]);
      await queue.release(await takeOne());
      const again = await takeOne();
      expect(again.body).toBe('1');
      await queue.release(again, 5 * SECOND);
      await parts.advance(4 * SECOND);
      expect(await take()).toEqual([]);
      await parts.advance(2 * SECOND);
      expect(bodies(await take())).toEqual(['1']);
    });

    test('drops a second message with the same id within five minutes, even after the first is done', async () => {
      await queue.send([message('a', '1', { deduplicationId: 'same' })]);
      await queue.acknowledge(await takeOne());
      await parts.advance(4 * MINUTE);
      await queue.send([message('a', '2', { deduplicationId: 'same' })]);
      expect(await take()).toEqual([]);
      await parts.advance(61 * SECOND);
      await queue.send([message('a', '3', { deduplicationId: 'same' })]);
      expect(bodies(await take())).toEqual(['3']);
    });

    test('keeps messages of different groups with the same id', async () => {
      await queue.send([message('a', '1', { deduplicationId: 'same' })]);
      await queue.send([message('b', '2', { deduplicationId: 'same' })]);
      expect(bodies(await take()).sort()).toEqual(['1', '2']);
    });

    test('does not let a delayed message hold back later ones of its group', async () => {
      await queue.send([message('a', 'late', { delayMs: 10 * SECOND }), message('a', 'now')]);
      const now = await takeOne();
      expect(now.body).toBe('now');
      await queue.acknowledge(now);
      await parts.advance(9 * SECOND);
      expect(await take()).toEqual([]);
      await parts.advance(2 * SECOND);
      expect(await takeOne()).toMatchObject({ body: 'late', group: 'a', receiveCount: 1 });
    });

    test('buries a message whose handling failed too often, and goes on with its group', async () => {
      await queue.send([message('a', 'poison'), message('a', 'good')]);
      for (let count = 1; count <= 3; count += 1) {
        const poison = await takeOne();
        expect(poison).toMatchObject({ body: 'poison', receiveCount: count });
        expect(await queue.admit(poison)).toBe('begin');
        await queue.fail(poison, 30 * SECOND);
        if (count < 3) expect(await take()).toEqual([]);
        await parts.advance(31 * SECOND);
      }
      expect(bodies(await take())).toEqual(['good']);
      const letters = await queue.deadLetters(10);
      expect(letters).toMatchObject([{ group: 'a', body: 'poison', receiveCount: 3 }]);
      expect(bodies(await queue.deadLetters(10))).toEqual(['poison']);
    });

    test('buries nothing that was given back, however often', async () => {
      await queue.send([message('a', '1')]);
      for (let count = 1; count <= 12; count += 1) {
        const received = await takeOne();
        expect(received.receiveCount).toBe(count);
        expect(await queue.admit(received)).toBe('begin');
        await queue.release(received);
      }
      expect(await queue.deadLetters(10)).toEqual([]);
    });

    test('sends dead letters again, all or those named', async () => {
      await queue.send([message('a', '1'), message('b', '2'), message('c', '3')]);
      for (let count = 1; count <= 3; count += 1) {
        const failing = await take();
        expect(failing).toHaveLength(3);
        for (const each of failing) await queue.fail(each);
      }
      expect(await take()).toEqual([]);
      const letters = await queue.deadLetters(10);
      expect(bodies(letters).sort()).toEqual(['1', '2', '3']);
      const second = letters.find(({ body }) => body === '2');
      expect(await queue.redrive([second?.id ?? ''])).toBe(1);
      const received = await takeOne();
      expect(received).toMatchObject({ body: '2', group: 'b', receiveCount: 1, sentAt: second?.sentAt });
      await queue.acknowledge(received);
      expect(bodies(await queue.deadLetters(10)).sort()).toEqual(['1', '3']);
      expect(await queue.deadLetters(1)).toHaveLength(1);
      expect(await queue.redrive(['no such id'])).toBe(0);
      expect(await queue.redrive()).toBe(2);
      expect(bodies(await take()).sort()).toEqual(['1', '3']);
      expect(await queue.deadLetters(10)).toEqual([]);
    });

    test('lets a waiting receiver have a message as soon as it is sent', async () => {
      const waiting = queue.receive({ max: 1, waitMs: 20 * SECOND, visibilityMs: MINUTE });
      await queue.send([message('a', '1')]);
      expect(bodies(await waiting)).toEqual(['1']);
    });

    test('lets a waiting receiver have the next of a group as soon as the group is free', async () => {
      await queue.send([message('a', '1'), message('a', '2')]);
      const first = await takeOne();
      const waiting = queue.receive({ max: 1, waitMs: 20 * SECOND, visibilityMs: MINUTE });
      await queue.acknowledge(first);
      expect(bodies(await waiting)).toEqual(['2']);
    });

    test('hands each message to one of many receivers', async () => {
      const all = Array.from({ length: 20 }, (_, index) => message(`g${index}`, `${index}`));
      const receivers = Array.from({ length: 20 }, () =>
        queue.receive({ max: 1, waitMs: 20 * SECOND, visibilityMs: MINUTE }),
      );
      await queue.send(all);
      const received = (await Promise.all(receivers)).flat();
      expect(new Set(bodies(received)).size).toBe(20);
    });

    test('ends a wait with nothing when it is aborted, and loses no message by it', async () => {
      const stop = new AbortController();
      const options = { max: 1, waitMs: 20 * SECOND, visibilityMs: MINUTE, signal: stop.signal };
      const waiting = queue.receive(options);
      stop.abort();
      expect(await waiting).toEqual([]);
      expect(await queue.receive(options)).toEqual([]);
      await queue.send([message('a', '1')]);
      const received = await queue.receive({ max: 1, waitMs: 20 * SECOND, visibilityMs: MINUTE });
      expect(bodies(received)).toEqual(['1']);
    });

    test('keeps long groups and ids apart, and every character of a body', async () => {
      const long = 'cluster/group/kind/namespace/'.repeat(20);
      const body = '\u0000 \u001b \ufffe 🚀 é "';
      await queue.send([
        message(`${long}ä 1`, body, { deduplicationId: `${long}1` }),
        message(`${long}ä 2`, body, { deduplicationId: `${long}2` }),
      ]);
      const received = await take();
      expect(received.map(({ group }) => group).sort()).toEqual([`${long}ä 1`, `${long}ä 2`]);
      expect(bodies(received)).toEqual([body, body]);
    });

    test('keeps bodies of 256 KiB and refuses a larger one before anything is sent', async () => {
      const limit = 256 * 1_024;
      const parcels = ['a', 'b', 'c', 'd', 'e'].map((group) => message(group, 'x'.repeat(limit)));
      await queue.send(parcels);
      expect((await take()).map(({ body }) => body.length)).toEqual(parcels.map(() => limit));
      const tooLarge = message('big', 'ü'.repeat(limit / 2 + 1));
      await expect(queue.send([message('small', '1'), tooLarge])).rejects.toThrow(/"big".*262144/);
      await expect(queue.send([message('', '1')])).rejects.toThrow('empty group');
      await expect(queue.send([message('a', '1', { delayMs: 900_001 })])).rejects.toThrow('delay');
      expect(await take()).toEqual([]);
      await queue.send([]);
    });

    test('refuses a receive outside of its limits', async () => {
      await expect(queue.receive({ max: 11, waitMs: 0, visibilityMs: 1 })).rejects.toThrow('1 to 10');
      await expect(queue.receive({ max: 1, waitMs: -1, visibilityMs: 1 })).rejects.toThrow('waitMs');
      await expect(queue.receive({ max: 1, waitMs: 0, visibilityMs: 0 })).rejects.toThrow('visibility');
    });
  });
}
