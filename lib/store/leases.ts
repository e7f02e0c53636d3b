import { clusterPartition } from './partitions.ts';
import type { Row, Table } from './table.ts';

/** The right to write to one object, for a time. */
export interface Lease {
  /** `<cluster>/<what it is for>`. */
  name: string;
  holder: string;
  /** Grows with every acquisition: a write of an older token comes from a worker that lost its lease. */
  token: number;
  /** Whether it had run out without being given back: whoever held it before may be frozen, and wake up. */
  ranOut: boolean;
}

/** How leases deal with clocks. */
export interface LeaseOptions {
  /**
   * By how much the clocks of workers may differ, in ms. 0 (one process): a lease has run out when its time has passed.
   * Otherwise it has run out when this process saw it unchanged for as long as it was taken for, whatever the clocks say, or
   * when it is over for longer than clocks may differ.
   */
  skewMs?: number;
}

interface Held {
  holder: string;
  token: number;
  /** Epoch in ms by the holder's clock; 0 = given back. */
  until: number;
  /** For how long it was taken, in ms. */
  ttlMs: number;
}

/** How many leases of each sort are kept in mind; beyond, the oldest are forgotten and only cost a longer wait or a read. */
const MAX_KEPT = 10_000;

/** A row as this process wrote it last. */
interface Written {
  version: number;
  value: Held;
}

/** Leases over the table: conditional writes decide who holds one. */
export class Leases {
  readonly #table: Table;
  readonly #now: () => number;
  readonly #skewMs: number;
  /** Own leases, by name and token. */
  readonly #own = new Map<string, Written>();
  /** Leases that were given back here, by name: nobody else may have had them since, which the next write finds out. */
  readonly #free = new Map<string, Written>();
  /** Others' leases: the version that was seen, and since when. */
  readonly #seen = new Map<string, { version: number; since: number }>();

  constructor(table: Table, now: () => number, { skewMs = 0 }: LeaseOptions = {}) {
    this.#table = table;
    this.#now = now;
    this.#skewMs = skewMs;
  }

  /**
   * Takes a lease that is free or has run out.
   * @returns undefined when somebody has it, be it this very holder
   */
  async acquire(name: string, holder: string, ttlMs: number): Promise<Lease | undefined> {
    const free = this.#free.get(name);
    if (free) {
      this.#free.delete(name);
      const lease = { name, holder, token: free.value.token + 1, ranOut: false };
      if (await this.#write(lease, ttlMs, free.version)) return lease;
    }
    const row = await this.#table.get<Held>(partitionOf(name), name);
    if (row && !this.#hasRunOut(row)) return undefined;
    const ranOut = row !== undefined && row.value.until !== 0;
    const lease: Lease = { name, holder, token: (row?.value.token ?? 0) + 1, ranOut };
    const written = await this.#write(lease, ttlMs, row?.version ?? 0);
    this.#seen.delete(name);
    return written ? lease : undefined;
  }

  /** Extends a lease. Returns false when it was lost. */
  async renew(lease: Lease, ttlMs: number): Promise<boolean> {
    const own = this.#own.get(keyOf(lease));
    // Whoever took it has written the row since.
    return own !== undefined && this.#write(lease, ttlMs, own.version);
  }

  /** Whether the lease still holds. */
  async check(lease: Lease): Promise<boolean> {
    const until = this.#own.get(keyOf(lease))?.value.until ?? 0;
    if (until <= this.#now()) return false;
    // Where all go by one clock, nobody can have taken it before its time; asked before every write, that saves a read each.
    if (this.#skewMs === 0) return true;
    const row = await this.#table.get<Held>(partitionOf(lease.name), lease.name);
    return row !== undefined && isHeldBy(row.value, lease) && until > this.#now();
  }

  /** Gives a lease back. The row stays, so that tokens keep growing. */
  async release(lease: Lease): Promise<void> {
    const own = this.#own.get(keyOf(lease));
    this.#own.delete(keyOf(lease));
    if (own && (await this.#giveBack(lease.name, own))) return;
    // Lost, or extended a moment ago by an answer that is still on its way.
    const row = await this.#table.get<Held>(partitionOf(lease.name), lease.name);
    if (row && isHeldBy(row.value, lease)) await this.#giveBack(lease.name, row);
  }

  async #giveBack(name: string, own: Written): Promise<boolean> {
    const value: Held = { ...own.value, until: 0 };
    const version = await this.#table.put(partitionOf(name), name, value, { ifVersion: own.version });
    if (version !== undefined) keep(this.#free, name, { version, value });
    return version !== undefined;
  }

  /** The names of all leases of a cluster that were not given back. Those that have run out are among them: their holders may be at work yet. */
  async taken(cluster: string): Promise<Set<string>> {
    const rows = await this.#table.query<Held>(clusterPartition('leases', cluster));
    return new Set(rows.filter(({ value }) => value.until !== 0).map(({ sort }) => sort));
  }

  /**
   * Gives back every lease of a cluster, whoever holds it. Only at the start of a process that alone uses the table: whoever held them is
   * gone, and their objects need not wait for the leases to run out.
   */
  async releaseAll(cluster: string): Promise<void> {
    const partition = clusterPartition('leases', cluster);
    const rows = await this.#table.query<Held>(partition);
    await this.#table.batch(
      rows
        .filter(({ value }) => value.until !== 0)
        .map(({ sort, value }) => ({ put: { partition, sort, value: { ...value, until: 0 } } })),
    );
  }

  async #write(lease: Lease, ttlMs: number, ifVersion: number): Promise<boolean> {
    // From before the write: it must not seem to hold longer than others see it held.
    const until = this.#now() + ttlMs;
    const value: Held = { holder: lease.holder, token: lease.token, until, ttlMs };
    const version = await this.#table.put(partitionOf(lease.name), lease.name, value, { ifVersion });
    if (version !== undefined) this.#own.set(keyOf(lease), { version, value });
    return version !== undefined;
  }

  #hasRunOut({ sort, version, value }: Row<Held>): boolean {
    const now = this.#now();
    if (value.until === 0) return true;
    if (value.until + this.#skewMs <= now) return true;
    if (this.#skewMs === 0) return false;
    const seen = this.#seen.get(sort);
    if (seen?.version === version) return now - seen.since >= value.ttlMs;
    keep(this.#seen, sort, { version, since: now });
    return false;
  }
}

/** Sets an entry as the newest and forgets the oldest when there are too many. */
function keep<T>(entries: Map<string, T>, name: string, value: T): void {
  entries.delete(name);
  entries.set(name, value);
  const [oldest] = entries.keys();
  if (entries.size > MAX_KEPT && oldest !== undefined) entries.delete(oldest);
}

function isHeldBy(held: Held, { holder, token }: Lease): boolean {
  return held.token === token && held.holder === holder && held.until !== 0;
}

function partitionOf(name: string): string {
  return clusterPartition('leases', name.slice(0, name.indexOf('/')));
}

function keyOf({ name, token }: Lease): string {
  return `${token} ${name}`;
}
