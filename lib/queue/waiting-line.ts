import type { ReceivedMessage, ReceiveOptions } from './queue.ts';
import type { Timers } from './timers.ts';

/** What one look into the queue found: a list for each receiver, and when more becomes due by the clock alone. */
export interface Found {
  batches: ReceivedMessage[][];
  /** Epoch in ms; undefined = nothing will. */
  nextAt: number | undefined;
}

interface Receiver {
  options: ReceiveOptions;
  /** Epoch in ms. */
  until: number;
  finish(messages: ReceivedMessage[]): void;
  fail(error: unknown): void;
}

/** Timers overflow above this; a look at the queue once an hour costs nothing. */
const LONGEST_TIMER_MS = 3_600_000;

/**
 * The receivers that wait for messages of one queue. They are served in order, by one look at the queue at a time; nothing
 * is looked up while nothing can have changed.
 */
export class WaitingLine {
  readonly #look: (requests: readonly ReceiveOptions[]) => Promise<Found>;
  readonly #now: () => number;
  readonly #timers: Timers;
  #receivers: Receiver[] = [];
  #timer: unknown;
  #looking = false;
  #stale = false;
  #closed = false;

  constructor(
    look: (requests: readonly ReceiveOptions[]) => Promise<Found>,
    now: () => number,
    timers: Timers,
  ) {
    this.#look = look;
    this.#now = now;
    this.#timers = timers;
  }

  /** Resolves with messages, or with none at the end of the wait, on abort and on {@link close}. */
  receive(options: ReceiveOptions): Promise<ReceivedMessage[]> {
    if (this.#closed || options.signal?.aborted) return Promise.resolve([]);
    return new Promise((resolve, reject) => {
      const { signal } = options;
      const abort = () => this.#leave(receiver);
      const receiver: Receiver = {
        options,
        until: this.#now() + options.waitMs,
        finish: (messages) => {
          signal?.removeEventListener('abort', abort);
          resolve(messages);
        },
        fail: (error) => {
          signal?.removeEventListener('abort', abort);
          reject(error);
        },
      };
      signal?.addEventListener('abort', abort, { once: true });
      this.#receivers.push(receiver);
      this.wake();
    });
  }

  /** Something changed: look again. */
  wake(): void {
    this.#stale = true;
    if (!this.#looking) void this.#serve();
  }

  /** Sends all receivers away with nothing. */
  close(): void {
    this.#closed = true;
    this.#timers.clear(this.#timer);
    for (const receiver of this.#receivers.splice(0)) receiver.finish([]);
  }

  // While a look is under way its receivers are not in the line: what it finds for one that was aborted meanwhile goes to
  // that one all the same, so that no message is hidden from everybody.
  #leave(receiver: Receiver): void {
    const place = this.#receivers.indexOf(receiver);
    if (place < 0) return;
    this.#receivers.splice(place, 1);
    receiver.finish([]);
  }

  async #serve(): Promise<void> {
    this.#looking = true;
    let nextAt: number | undefined;
    while (this.#stale && this.#receivers.length > 0) {
      this.#stale = false;
      const asking = this.#receivers.splice(0);
      try {
        const found = await this.#look(asking.map(({ options }) => options));
        nextAt = found.nextAt;
        this.#answer(asking, found);
      } catch (error) {
        for (const receiver of asking) receiver.fail(error);
      }
    }
    this.#looking = false;
    this.#rest(nextAt);
  }

  #answer(asking: readonly Receiver[], { batches }: Found): void {
    const now = this.#now();
    const staying: Receiver[] = [];
    for (const [index, receiver] of asking.entries()) {
      const messages = batches[index] ?? [];
      const { signal } = receiver.options;
      if (messages.length > 0 || receiver.until <= now || this.#closed || signal?.aborted) {
        receiver.finish(messages);
      } else staying.push(receiver);
    }
    this.#receivers.unshift(...staying);
  }

  #rest(nextAt: number | undefined): void {
    this.#timers.clear(this.#timer);
    if (this.#receivers.length === 0 || this.#closed) return;
    const soonest = Math.min(
      nextAt ?? Number.POSITIVE_INFINITY,
      ...this.#receivers.map(({ until }) => until),
    );
    const wait = Math.min(Math.max(soonest - this.#now(), 1), LONGEST_TIMER_MS);
    this.#timer = this.#timers.set(() => this.wake(), wait);
  }
}
