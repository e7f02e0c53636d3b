import type { DatabaseSync } from 'node:sqlite';
import type { Handlers, Receipt, ReceiveRequest, StoredMessage } from '../store/sqlite-protocol.ts';
import { DEDUPLICATION_MS } from './limits.ts';
import { MOST_ENDS } from './sqlite-restart.ts';
import { type LastPlace, laneOf, Turns } from './turns.ts';

const COLUMNS = 'grp AS "group", body, receive_count AS receiveCount, sent_at AS sentAt';

type QueueHandlers = Pick<Handlers, Extract<keyof Handlers, `queue.${string}`>>;

interface Head {
  group: string;
  message: number;
  ord: number;
}

/** The queue's operations on an open database, for the thread that owns it. The tables: `lib/store/sqlite-schema.ts`. */
export function queueHandlers(database: DatabaseSync): QueueHandlers {
  const sql = statements(database);
  const { last } = sql.lastDead.get() as { last: number | null };
  let buried = last ?? 0;
  const turns = new Map<string, Turns>();

  function turnsOf(queue: string): Turns {
    let found = turns.get(queue);
    if (!found) {
      const places = sql.places.all({ queue }) as unknown as (LastPlace & { first: number })[];
      // Whoever was first in line when the last process ended is first again, and newcomers stand next to it.
      const first = places.reduce((least, place) => Math.min(least, place.first), places[0]?.first ?? 0);
      found = new Turns(places, first);
      turns.set(queue, found);
    }
    return found;
  }

  /** Puts a message at the end of its group, unless its deduplication id was seen in the last five minutes. */
  function enqueue(
    queue: string,
    message: { group: string; body: string; deduplicationId: string; sentAt: number },
    now: number,
  ): void {
    const until = now + DEDUPLICATION_MS;
    const { changes } = sql.remember.run({
      queue,
      group: message.group,
      dedup: message.deduplicationId,
      until,
      now,
    });
    if (changes === 0) return;
    append(queue, message);
  }

  function append(queue: string, message: { group: string; body: string; sentAt: number }): void {
    const { group, body, sentAt } = message;
    const ord = turnsOf(queue).next(group);
    const { lastInsertRowid } = sql.insert.run({ queue, group, ord, body, sentAt });
    sql.newHead.run({ queue, group, message: lastInsertRowid, ord });
  }

  /** Delayed messages stand in line from the moment they are due, as if they were sent then. */
  function promote(queue: string, now: number): void {
    for (const due of sql.due.all({ queue, now }) as unknown as (StoredMessage & { dedup: string })[]) {
      sql.undelay.run({ id: due.id });
      enqueue(queue, { ...due, deduplicationId: due.dedup }, now);
    }
  }

  /** After its first message left, a group is headed by the next one, or has none. */
  function advance(queue: string, head: Head): void {
    sql.remove.run({ id: head.message });
    const { changes } = sql.nextHead.run({ queue, group: head.group });
    if (changes === 0) sql.noHead.run({ queue, group: head.group });
  }

  /** How many messages of each lane are in flight. */
  function inFlight(queue: string): Map<string, number> {
    const counts = new Map<string, number>();
    for (const { group } of sql.hidden.all({ queue }) as unknown as Pick<Head, 'group'>[]) {
      const lane = laneOf(group);
      counts.set(lane, (counts.get(lane) ?? 0) + 1);
    }
    return counts;
  }

  /** Whether anything is free in a lane that has not got its share already; it looks at one group a lane, however many wait. */
  function hasFree(queue: string, share: number, taken: ReadonlyMap<string, number>): boolean {
    for (let from = ''; ; ) {
      const next = sql.freeFrom.get({ queue, from }) as Pick<Head, 'group'> | undefined;
      if (!next) return false;
      const lane = laneOf(next.group);
      if ((taken.get(lane) ?? 0) < share) return true;
      // The character after the slash: what follows the last group of the lane.
      from = lane === '' ? `${next.group}\0` : `${lane}0`;
    }
  }

  /** The next in line of a lane that has not got its share already. */
  function firstFree(queue: string, share: number, taken: ReadonlyMap<string, number>): Head | undefined {
    if (!hasFree(queue, share, taken)) return undefined;
    // Where lanes take turns the first that may go is near the front.
    for (const head of sql.freeHeads.iterate({ queue }) as unknown as Iterable<Head>) {
      if ((taken.get(laneOf(head.group)) ?? 0) < share) return head;
    }
    return undefined;
  }

  /** @param taken how many messages of each lane are in flight; the one that is handed out is added */
  function receiveOne(
    queue: string,
    { visibilityMs, share }: ReceiveRequest,
    taken: Map<string, number>,
    maxFailures: number,
    now: number,
  ): StoredMessage | undefined {
    for (;;) {
      const head =
        share !== undefined && [...taken.values()].some((count) => count >= share)
          ? firstFree(queue, share, taken)
          : (sql.freeHead.get({ queue }) as Head | undefined);
      if (!head) return undefined;
      const { ends, returns, ...message } = sql.read.get({ id: head.message }) as unknown as StoredMessage & {
        ends: number;
        returns: number;
      };
      if (message.receiveCount - ends - returns < maxFailures && ends < MOST_ENDS) {
        sql.hand.run({ id: message.id });
        sql.hide.run({ queue, group: head.group, until: now + visibilityMs });
        turnsOf(queue).served(head.ord);
        const lane = laneOf(head.group);
        taken.set(lane, (taken.get(lane) ?? 0) + 1);
        return { ...message, receiveCount: message.receiveCount + 1 };
      }
      buried += 1;
      sql.bury.run({ id: message.id, ord: buried });
      advance(queue, head);
    }
  }

  /** The group headed by the message of a receipt that is not out of date. */
  function held(queue: string, receipt: Receipt, now: number): Head | undefined {
    return sql.held.get({ queue, id: receipt.id, count: receipt.receiveCount, now }) as Head | undefined;
  }

  return {
    'queue.send': ({ queue, messages, now }) => {
      sql.forget.run({ now });
      promote(queue, now);
      for (const { group, deduplicationId, body, delayMs } of messages) {
        if (delayMs > 0) {
          sql.delay.run({ queue, group, dedup: deduplicationId, body, sentAt: now, dueAt: now + delayMs });
        } else enqueue(queue, { group, deduplicationId, body, sentAt: now }, now);
      }
      return undefined;
    },
    'queue.receive': ({ queue, requests, maxFailures, now }) => {
      promote(queue, now);
      sql.free.run({ queue, now });
      const taken = inFlight(queue);
      const batches = requests.map((request) => {
        const batch: StoredMessage[] = [];
        while (batch.length < request.max) {
          const message = receiveOne(queue, request, taken, maxFailures, now);
          if (!message) break;
          batch.push(message);
        }
        return batch;
      });
      const { next } = sql.next.get({ queue }) as { next: number | null };
      return { batches, nextAt: next ?? undefined };
    },
    'queue.hide': ({ queue, receipt, until, isReturn, now }) => {
      const head = held(queue, receipt, now);
      if (!head) return false;
      if (isReturn) sql.giveBack.run({ id: head.message });
      sql.hide.run({ queue, group: head.group, until: until > now ? until : 0 });
      return true;
    },
    'queue.acknowledge': ({ queue, receipt, now }) => {
      const head = held(queue, receipt, now);
      if (!head) return false;
      advance(queue, head);
      return true;
    },
    'queue.deadLetters': ({ queue, limit }) => sql.dead.all({ queue, limit }) as unknown as StoredMessage[],
    'queue.redrive': ({ queue, ids }) => {
      const all = sql.dead.all({ queue, limit: -1 }) as unknown as StoredMessage[];
      const chosen = ids === undefined ? all : all.filter(({ id }) => ids.includes(id));
      for (const letter of chosen) {
        append(queue, letter);
        sql.exhume.run({ id: letter.id });
      }
      return chosen.length;
    },
  };
}

function statements(database: DatabaseSync) {
  return {
    lastDead: database.prepare('SELECT max(ord) AS last FROM dead'),
    places: database.prepare(
      'SELECT grp AS "group", min(ord) AS first, max(ord) AS ord FROM messages WHERE queue = :queue GROUP BY grp',
    ),
    forget: database.prepare('DELETE FROM seen WHERE until <= :now'),
    // A row past its time may still stand here; it counts as forgotten.
    remember: database.prepare(
      `INSERT INTO seen (queue, grp, dedup, until) VALUES (:queue, :group, :dedup, :until)
       ON CONFLICT (queue, grp, dedup) DO UPDATE SET until = excluded.until WHERE until <= :now`,
    ),
    insert: database.prepare(
      'INSERT INTO messages (queue, grp, ord, body, sent_at) VALUES (:queue, :group, :ord, :body, :sentAt)',
    ),
    newHead: database.prepare(
      `INSERT INTO heads (queue, grp, message, ord, hidden_until) VALUES (:queue, :group, :message, :ord, 0)
       ON CONFLICT DO NOTHING`,
    ),
    nextHead: database.prepare(
      `UPDATE heads SET message = next.id, ord = next.ord, hidden_until = 0
       FROM (SELECT id, ord FROM messages WHERE queue = :queue AND grp = :group ORDER BY ord LIMIT 1) AS next
       WHERE queue = :queue AND grp = :group`,
    ),
    noHead: database.prepare('DELETE FROM heads WHERE queue = :queue AND grp = :group'),
    freeHead: database.prepare(
      'SELECT grp AS "group", message, ord FROM heads WHERE queue = :queue AND hidden_until = 0 ORDER BY ord LIMIT 1',
    ),
    freeHeads: database.prepare(
      'SELECT grp AS "group", message, ord FROM heads WHERE queue = :queue AND hidden_until = 0 ORDER BY ord',
    ),
    freeFrom: database.prepare(
      'SELECT grp AS "group" FROM heads WHERE queue = :queue AND grp >= :from AND hidden_until = 0 ORDER BY grp LIMIT 1',
    ),
    hidden: database.prepare('SELECT grp AS "group" FROM heads WHERE queue = :queue AND hidden_until > 0'),
    free: database.prepare(
      'UPDATE heads SET hidden_until = 0 WHERE queue = :queue AND hidden_until > 0 AND hidden_until <= :now',
    ),
    hide: database.prepare('UPDATE heads SET hidden_until = :until WHERE queue = :queue AND grp = :group'),
    held: database.prepare(
      `SELECT heads.grp AS "group", message, heads.ord FROM messages
       JOIN heads ON heads.queue = messages.queue AND heads.grp = messages.grp AND heads.message = messages.id
       WHERE messages.id = :id AND messages.queue = :queue AND receive_count = :count AND hidden_until > :now`,
    ),
    read: database.prepare(`SELECT id, ends, returns, ${COLUMNS} FROM messages WHERE id = :id`),
    hand: database.prepare('UPDATE messages SET receive_count = receive_count + 1 WHERE id = :id'),
    giveBack: database.prepare('UPDATE messages SET returns = returns + 1 WHERE id = :id'),
    remove: database.prepare('DELETE FROM messages WHERE id = :id'),
    next: database.prepare(
      `SELECT min(at) AS next FROM (
         SELECT min(hidden_until) AS at FROM heads WHERE queue = :queue AND hidden_until > 0
         UNION ALL SELECT min(due_at) FROM delayed WHERE queue = :queue)`,
    ),
    delay: database.prepare(
      `INSERT INTO delayed (queue, grp, dedup, body, sent_at, due_at)
       VALUES (:queue, :group, :dedup, :body, :sentAt, :dueAt)`,
    ),
    due: database.prepare(
      `SELECT id, dedup, grp AS "group", body, sent_at AS sentAt FROM delayed
       WHERE queue = :queue AND due_at <= :now ORDER BY due_at, id`,
    ),
    undelay: database.prepare('DELETE FROM delayed WHERE id = :id'),
    bury: database.prepare(
      `INSERT INTO dead (id, queue, grp, body, sent_at, receive_count, ord)
       SELECT id, queue, grp, body, sent_at, receive_count, :ord FROM messages WHERE id = :id`,
    ),
    dead: database.prepare(`SELECT id, ${COLUMNS} FROM dead WHERE queue = :queue ORDER BY ord LIMIT :limit`),
    exhume: database.prepare('DELETE FROM dead WHERE id = :id'),
  };
}
