import type { Table } from './table.ts';

/** The right to write to one object, for a time. */
export interface Lease {
  name: string;
  holder: string;
  /** Grows with every change of holder: a write of an older token comes from a worker that lost its lease. */
  token: number;
}

interface Held {
  holder: string;
  token: number;
  /** Epoch in ms. */
  until: number;
}

const PARTITION = 'leases';

/** Leases over the table: conditional writes decide who holds one. */
export class Leases {
  readonly #table: Table;
  readonly #now: () => number;

  constructor(table: Table, now: () => number) {
    this.#table = table;
    this.#now = now;
  }

  /**
   * Takes a lease that is free, has run out, or is the holder's own.
   * @returns undefined when another holder has it
   */
  async acquire(name: string, holder: string, ttlMs: number): Promise<Lease | undefined> {
    const row = await this.#table.get<Held>(PARTITION, name);
    const held = row?.value;
    if (held && held.until > this.#now()) return undefined;
    const token = (held?.token ?? 0) + 1;
    const value: Held = { holder, token, until: this.#now() + ttlMs };
    const written = await this.#table.put(PARTITION, name, value, { ifVersion: row?.version ?? 0 });
    return written === undefined ? undefined : { name, holder, token };
  }

  /** Extends a lease. Returns false when it was lost. */
  async renew(lease: Lease, ttlMs: number): Promise<boolean> {
    const row = await this.#table.get<Held>(PARTITION, lease.name);
    if (!row || row.value.token !== lease.token || row.value.holder !== lease.holder) return false;
    const value: Held = { ...row.value, until: this.#now() + ttlMs };
    return (await this.#table.put(PARTITION, lease.name, value, { ifVersion: row.version })) !== undefined;
  }

  /** Whether the lease still holds. */
  async check(lease: Lease): Promise<boolean> {
    const held = (await this.#table.get<Held>(PARTITION, lease.name))?.value;
    return held !== undefined && held.token === lease.token && held.until > this.#now();
  }

  /** Gives a lease back. The row stays, so that tokens keep growing. */
  async release(lease: Lease): Promise<void> {
    const row = await this.#table.get<Held>(PARTITION, lease.name);
    if (!row || row.value.token !== lease.token) return;
    await this.#table.put(PARTITION, lease.name, { ...row.value, until: 0 }, { ifVersion: row.version });
  }
}
