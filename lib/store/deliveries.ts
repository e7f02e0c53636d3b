import type { Table } from './table.ts';

/** The rows that are touched. */
type Rows = Pick<Table, 'get' | 'put'>;

/** Providers offer a redelivery for a few days; after a week an id is forgotten. */
const KEEP_MS = 7 * 24 * 3_600_000;

/** Which webhook deliveries have become a durable job. */
export class Deliveries {
  readonly #table: Rows;
  readonly #now: () => number;

  constructor(table: Rows, now: () => number) {
    this.#table = table;
    this.#now = now;
  }

  /** Whether the job of a delivery is durable. */
  async isDone(provider: string, delivery: string): Promise<boolean> {
    return (await this.#table.get(`deliveries#${provider}`, delivery)) !== undefined;
  }

  /** Remembers a delivery; only after its job is durable. */
  async markDone(provider: string, delivery: string): Promise<void> {
    await this.#table.put(`deliveries#${provider}`, delivery, this.#now(), {
      expiresAt: this.#now() + KEEP_MS,
    });
  }
}
