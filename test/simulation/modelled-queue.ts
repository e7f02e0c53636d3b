import { DEDUPLICATION_MS, MAX_FAILURES } from '../../lib/queue/limits.ts';
import type { OutgoingMessage, Queue, ReceivedMessage } from '../../lib/queue/queue.ts';
import { SqsTries } from '../../lib/queue/sqs-tries.ts';
import type { Table } from '../../lib/store/table.ts';
import type { Chance } from './chance.ts';
import type { Process, Scheduler } from './scheduler.ts';

/** How likely a message of the standard queue comes twice. */
const TWICE = 0.1;

interface Message {
  id: string;
  group: string;
  body: string;
  sentAt: number;
  receiveCount: number;
  receipt: string;
  /** Epoch in ms. */
  hiddenUntil: number;
}

interface Delayed {
  message: OutgoingMessage;
  dueAt: number;
}

/**
 * A queue after AWS's text: FIFO groups, of which nothing is handed out while a message of theirs is in flight; an id of deduplication that
 * is remembered for five minutes, even after the message was deleted; visibility time-outs, receive counts. Dead letters
 * are made by the processes, since the redrive policy of the stacks comes to nothing within a story. Delayed messages
 * stand in a standard queue first, which may hand them out twice and in any order; they are brought into line under their own id.
 * @see https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/FIFO-queues-understanding-logic.html
 * @see https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/standard-queues-at-least-once-delivery.html
 */
export class Line {
  readonly name: string;
  readonly deadLetters: Message[] = [];
  readonly #chance: Chance;
  #messages: Message[] = [];
  #delayed: Delayed[] = [];
  readonly #seen = new Map<string, number>();
  #ids = 0;

  constructor(name: string, chance: Chance) {
    this.name = name;
    this.#chance = chance;
  }

  send(message: OutgoingMessage, now: number): void {
    const { delayMs = 0 } = message;
    if (delayMs > 0) this.#delayed.push({ message, dueAt: now + Math.ceil(delayMs / 1_000) * 1_000 });
    else this.#append(message, now);
  }

  /** Brings one of the delayed messages that are due into line; the other ones may go before it. @returns false when none is due */
  forward(now: number): boolean {
    const due = this.#delayed.filter(({ dueAt }) => dueAt <= now);
    const one = due[this.#chance.below(due.length)];
    if (!one) return false;
    this.#delayed.splice(this.#delayed.indexOf(one), 1);
    this.#append(one.message, now);
    if (this.#chance.next() < TWICE)
      this.#delayed.push({ message: one.message, dueAt: now + this.#chance.below(120_000) });
    return true;
  }

  hasDue(now: number): boolean {
    return this.#delayed.some(({ dueAt }) => dueAt <= now);
  }

  /** Whether a message can be handed out. */
  hasFree(now: number): boolean {
    return this.#free(now).length > 0;
  }

  /**
   * Hands out messages of one group, chosen by chance: FIFO promises no order between groups.
   * @param max of one group several may be handed out together, in their order
   */
  receive(max: number, now: number, visibilityMs: number): ReceivedMessage[] {
    const groups = this.#free(now);
    const group = groups[this.#chance.below(groups.length)];
    const received: ReceivedMessage[] = [];
    for (const message of this.#messages.filter((each) => each.group === group)) {
      if (received.length === max) break;
      this.#ids += 1;
      message.receiveCount += 1;
      message.receipt = `receipt-${this.#ids}`;
      message.hiddenUntil = now + visibilityMs;
      const { id, receipt, body, receiveCount, sentAt } = message;
      received.push({ id, receipt, group: message.group, body, receiveCount, sentAt });
    }
    return received;
  }

  /** False when the receipt is out of date. */
  hide({ receipt }: ReceivedMessage, ms: number, now: number): boolean {
    const message = this.#held(receipt, now);
    if (message) message.hiddenUntil = now + ms;
    return message !== undefined;
  }

  acknowledge({ receipt }: ReceivedMessage, now: number): void {
    const message = this.#held(receipt, now);
    if (message) this.#remove(message);
  }

  /** The message is put aside for good. */
  bury({ receipt }: ReceivedMessage, now: number): void {
    const message = this.#held(receipt, now);
    if (!message) return;
    this.#remove(message);
    this.deadLetters.push(message);
  }

  /** Hands a message out again that is in flight already, as may happen at least once. @returns whether there was one */
  duplicate(now: number): boolean {
    const held = this.#messages.filter(({ hiddenUntil }) => hiddenUntil > now);
    const message = held[this.#chance.below(held.length)];
    if (message) message.hiddenUntil = now;
    return message !== undefined;
  }

  /** When something changes by the clock alone: epoch in ms, or infinity. */
  nextAt(): number {
    const times = [
      ...this.#messages.map(({ hiddenUntil }) => hiddenUntil),
      ...this.#delayed.map(({ dueAt }) => dueAt),
    ];
    return Math.min(Number.POSITIVE_INFINITY, ...times);
  }

  get isEmpty(): boolean {
    return this.#messages.length === 0 && this.#delayed.length === 0;
  }

  /** The bodies of all that is in it, held back or in flight. */
  bodies(): string[] {
    return [...this.#messages.map(({ body }) => body), ...this.#delayed.map(({ message }) => message.body)];
  }

  #append({ group, deduplicationId, body }: OutgoingMessage, now: number): void {
    const key = `${group} ${deduplicationId}`;
    if ((this.#seen.get(key) ?? 0) > now) return;
    this.#seen.set(key, now + DEDUPLICATION_MS);
    this.#ids += 1;
    const id = `message-${this.#ids}`;
    this.#messages.push({ id, group, body, sentAt: now, receiveCount: 0, receipt: '', hiddenUntil: 0 });
  }

  #free(now: number): string[] {
    const busy = new Set<string>();
    for (const { group, hiddenUntil } of this.#messages) if (hiddenUntil > now) busy.add(group);
    return [...new Set(this.#messages.map(({ group }) => group))].filter((group) => !busy.has(group));
  }

  #held(receipt: string, now: number): Message | undefined {
    return this.#messages.find((message) => message.receipt === receipt && message.hiddenUntil > now);
  }

  #remove(message: Message): void {
    this.#messages.splice(this.#messages.indexOf(message), 1);
  }
}

/** The queue as one process sees it; what is handed out to it comes from the world. */
export function modelledQueue(scheduler: Scheduler, process: Process, line: Line, table: Table): Queue {
  const tries = new SqsTries({ table, partition: `tries#${line.name}` }, () => scheduler.now);
  const call = <T>(name: string, act: () => T) =>
    scheduler.call(process, 'queue', `${name} ${line.name}`, { writes: true, act });
  const hide = (verb: string, message: ReceivedMessage, ms: number) =>
    call(`${verb} ${message.group} in`, () => line.hide(message, ms, scheduler.now));
  const bury = (message: ReceivedMessage) =>
    call(`bury ${message.group} of`, () => line.bury(message, scheduler.now));
  return {
    async send(messages) {
      // Some may be sent and others not.
      for (const message of messages) {
        const { group, delayMs } = message;
        const later = delayMs === undefined ? '' : ` in ${delayMs} ms`;
        await call(`send ${group} ${triggerOf(message)}${later} to`, () => line.send(message, scheduler.now));
      }
    },
    receive: () => Promise.reject(new Error('the world hands messages out')),
    async extend(message, ms) {
      const held = await call(`extend ${message.group} in`, () => line.hide(message, ms, scheduler.now));
      if (!held) throw new Error('the receipt is out of date');
    },
    async admit(message) {
      const admission = await tries.admit(message);
      if (admission === 'begin') return admission;
      if (admission === 'later') await hide('put off', message, tries.apart(message));
      else await bury(message);
      return admission === 'later' ? 'later' : 'given up';
    },
    acknowledge(message) {
      tries.done(message);
      return call(`acknowledge ${message.group} in`, () => line.acknowledge(message, scheduler.now));
    },
    async fail(message, ms = 0) {
      if ((await tries.failed(message)) >= MAX_FAILURES) await bury(message);
      else await hide('fail', message, ms);
    },
    async release(message, ms = 0) {
      await tries.returned(message);
      await hide('release', message, ms);
    },
    deadLetters: () => Promise.resolve([]),
    redrive: () => Promise.resolve(0),
    close: () => Promise.resolve(),
  };
}

function triggerOf({ body }: OutgoingMessage): string {
  return (JSON.parse(body) as { trigger?: string }).trigger ?? '';
}
