import type { SqliteConnection } from '../store/sqlite-connection.ts';
import type { Receipt, StoredMessage } from '../store/sqlite-protocol.ts';
import { checkOutgoing, checkReceive, checkVisibility } from './limits.ts';
import type { DeadLetter, Queue, ReceivedMessage } from './queue.ts';
import type { Timers } from './timers.ts';
import { WaitingLine } from './waiting-line.ts';

/** What a queue in SQLite needs. */
export interface SqliteQueueOptions {
  name: string;
  /** Epoch in ms. */
  now: () => number;
  timers: Timers;
  /** A message whose handling failed so often, or whose visibility timeout passed, becomes a dead letter. */
  maxFailures: number;
}

/** A queue in the SQLite database behind `connection`; closing it leaves the connection open. */
export function sqliteQueue(connection: SqliteConnection, options: SqliteQueueOptions): Queue {
  const { name: queue, now, timers, maxFailures } = options;
  const line = new WaitingLine(
    async (requests) => {
      const found = await connection.call('queue.receive', {
        queue,
        requests: requests.map(({ max, visibilityMs, share }) => ({ max, visibilityMs, share })),
        maxFailures,
        now: now(),
      });
      return { batches: found.batches.map((batch) => batch.map(toReceived)), nextAt: found.nextAt };
    },
    now,
    timers,
  );

  async function hide(message: ReceivedMessage, ms: number, isReturn = false): Promise<boolean> {
    const time = now();
    const receipt = receiptOf(message);
    const args = { queue, receipt, until: time + ms, isReturn, now: time };
    const held = await connection.call('queue.hide', args);
    // The waiting receivers must learn the new time.
    if (held) line.wake();
    return held;
  }

  return {
    async send(messages) {
      checkOutgoing(messages);
      if (messages.length === 0) return;
      await connection.call('queue.send', {
        queue,
        messages: messages.map(({ group, deduplicationId, body, delayMs = 0 }) => ({
          group,
          deduplicationId,
          body,
          delayMs,
        })),
        now: now(),
      });
      line.wake();
    },
    async receive(receiveOptions) {
      checkReceive(receiveOptions);
      return line.receive(receiveOptions);
    },
    async extend(message, visibilityMs) {
      checkVisibility(visibilityMs);
      if (await hide(message, visibilityMs)) return;
      throw new Error(
        `The receipt of message ${message.id} of group ${message.group} is out of date: its visibility timeout has passed.`,
      );
    },
    async acknowledge(message) {
      const receipt = receiptOf(message);
      if (await connection.call('queue.acknowledge', { queue, receipt, now: now() })) line.wake();
    },
    // What comes apart from others after an end is told by when it is handed out.
    admit: () => Promise.resolve('begin'),
    async fail(message, delayMs = 0) {
      await hide(message, delayMs);
    },
    async release(message, delayMs = 0) {
      await hide(message, delayMs, true);
    },
    async deadLetters(limit) {
      const letters = await connection.call('queue.deadLetters', { queue, limit });
      return letters.map(toDeadLetter);
    },
    async redrive(ids) {
      const count = await connection.call('queue.redrive', { queue, ids: ids?.map(Number) });
      if (count > 0) line.wake();
      return count;
    },
    async close() {
      line.close();
    },
  };
}

function toReceived(message: StoredMessage): ReceivedMessage {
  const { id, receiveCount } = message;
  return { ...message, id: String(id), receipt: `${id}:${receiveCount}` };
}

function toDeadLetter(message: StoredMessage): DeadLetter {
  return { ...message, id: String(message.id) };
}

function receiptOf(message: ReceivedMessage): Receipt {
  const [id, receiveCount] = message.receipt.split(':').map(Number);
  return { id: id ?? 0, receiveCount: receiveCount ?? 0 };
}
