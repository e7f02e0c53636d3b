import type { OutgoingMessage } from '../../lib/queue/queue.ts';

const DEDUPLICATION_MS = 300_000;

interface Waiting {
  group: string;
  body: string;
  order: number;
  receiveCount: number;
  /** How often it was handed out and given back for no fault of its own. */
  returns: number;
  /** Epoch in ms; 0 = free. */
  hiddenUntil: number;
}

/** What the model says of a message handed out. */
export interface ModelReceived {
  group: string;
  body: string;
  receiveCount: number;
}

/** The queue as simple as it can be told: a list and a clock. Bodies must differ. */
export class QueueModel {
  readonly #now: () => number;
  readonly #maxFailures: number;
  #line: Waiting[] = [];
  #delayed: { message: OutgoingMessage; dueAt: number; order: number }[] = [];
  readonly #seen = new Map<string, number>();
  readonly dead: string[] = [];
  #order = 0;

  constructor(now: () => number, maxFailures: number) {
    this.#now = now;
    this.#maxFailures = maxFailures;
  }

  send(message: OutgoingMessage): void {
    this.#promote();
    const { delayMs = 0 } = message;
    this.#order += 1;
    if (delayMs > 0) this.#delayed.push({ message, dueAt: this.#now() + delayMs, order: this.#order });
    else this.#enqueue(message);
  }

  receive(max: number, visibilityMs: number): ModelReceived[] {
    this.#promote();
    const received: ModelReceived[] = [];
    while (received.length < max) {
      const message = this.#firstFree();
      if (!message) break;
      if (message.receiveCount - message.returns === this.#maxFailures) {
        this.#line = this.#line.filter((other) => other !== message);
        this.dead.push(message.body);
        continue;
      }
      message.receiveCount += 1;
      message.hiddenUntil = this.#now() + visibilityMs;
      const { group, body, receiveCount } = message;
      received.push({ group, body, receiveCount });
    }
    return received;
  }

  /** Whether the receipt was not out of date. */
  acknowledge(received: ModelReceived): boolean {
    const message = this.#held(received);
    this.#line = this.#line.filter((other) => other !== message);
    return message !== undefined;
  }

  /** Whether the receipt was not out of date. */
  hide(received: ModelReceived, ms: number): boolean {
    const message = this.#held(received);
    if (message) message.hiddenUntil = ms === 0 ? 0 : this.#now() + ms;
    return message !== undefined;
  }

  /** Hides it, and does not count that it was handed out. */
  giveBack(received: ModelReceived, ms: number): void {
    const message = this.#held(received);
    if (message) message.returns += 1;
    this.hide(received, ms);
  }

  redrive(): number {
    const bodies = this.dead.splice(0);
    for (const body of bodies) this.#append(body.split(' ')[0] ?? '', body);
    return bodies.length;
  }

  #promote(): void {
    const due = this.#delayed.filter(({ dueAt }) => dueAt <= this.#now());
    this.#delayed = this.#delayed.filter((entry) => !due.includes(entry));
    due.sort((left, right) => left.dueAt - right.dueAt || left.order - right.order);
    for (const { message } of due) this.#enqueue(message);
  }

  #enqueue({ group, deduplicationId, body }: OutgoingMessage): void {
    const key = `${group} ${deduplicationId}`;
    if ((this.#seen.get(key) ?? 0) > this.#now()) return;
    this.#seen.set(key, this.#now() + DEDUPLICATION_MS);
    this.#append(group, body);
  }

  #append(group: string, body: string): void {
    this.#order += 1;
    this.#line.push({ group, body, order: this.#order, receiveCount: 0, returns: 0, hiddenUntil: 0 });
  }

  #firstFree(): Waiting | undefined {
    const groups = new Set<string>();
    return this.#line.find((message) => {
      const first = !groups.has(message.group);
      groups.add(message.group);
      return first && message.hiddenUntil <= this.#now();
    });
  }

  #held({ body, receiveCount }: ModelReceived): Waiting | undefined {
    return this.#line.find(
      (message) =>
        message.body === body && message.receiveCount === receiveCount && message.hiddenUntil > this.#now(),
    );
  }
}
