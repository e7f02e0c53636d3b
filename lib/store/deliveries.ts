import type { Table } from './table.ts';

/** Providers offer a redelivery for a few days; after a week an id is forgotten. */
const KEEP_MS = 7 * 24 * 3_600_000;

/** Which webhook deliveries have become a durable job. */
export class Deliveries {
  readonly #table: Table;
  readonly #now: () => number;

  constructor(table: Table, now: () => number) {
    this.#table = table;
    this.#now = now;
  }

  /** The push that a delivery became, or undefined when none was made durable. */
  async pushOf(provider: string, delivery: string): Promise<string | undefined> {
    return (await this.#table.get<string>(`deliveries#${provider}`, delivery))?.value;
  }

  /** Remembers a delivery; only after its job is durable. */
  async markDone(provider: string, delivery: string, pushId: string): Promise<void> {
    await this.#table.put(`deliveries#${provider}`, delivery, pushId, { expiresAt: this.#now() + KEEP_MS });
  }
}
