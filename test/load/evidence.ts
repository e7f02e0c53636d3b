import type { Life, Write } from './write.ts';

/** A change of a lease in the table, as a worker made it. */
export interface LeaseChange {
  life: Life;
  /** `<cluster>/<kind>/<namespace>/<name>`. */
  name: string;
  holder: string;
  token: number;
  /** Epoch in ms by the holder's clock; 0: given back. */
  until: number;
  /** When the table had confirmed it: epoch in ms. */
  at: number;
}

/** Everything that is noted down while a load goes on. */
export class Evidence {
  readonly writes: Write[] = [];
  readonly leases: LeaseChange[] = [];
  readonly lives: Life[] = [];
  readonly #listeners = new Set<(write: Write) => void>();

  /** A new life of a worker. */
  begin(worker: string): Life {
    const life = { worker, number: this.lives.length + 1 };
    this.lives.push(life);
    return life;
  }

  add(write: Write): void {
    this.writes.push(write);
    for (const listener of this.#listeners) listener(write);
  }

  /** Resolves with the first write from now on that fits, or with undefined when the signal aborts. */
  next(fits: (write: Write) => boolean, signal: AbortSignal): Promise<Write | undefined> {
    const { promise, resolve } = Promise.withResolvers<Write | undefined>();
    const listener = (write: Write) => {
      if (fits(write)) resolve(write);
    };
    this.#listeners.add(listener);
    signal.addEventListener('abort', () => resolve(undefined), { once: true });
    return promise.finally(() => this.#listeners.delete(listener));
  }
}
