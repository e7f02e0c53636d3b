import type { CommitStatus } from '../forge/forge.ts';
import type { Table } from './table.ts';

/** A commit status that is to be sent to a provider. */
export interface WantedStatus extends CommitStatus {
  /** The provider's name in the fleet file. */
  destination: string;
}

/** A row of the outbox. */
export interface OutboxEntry {
  id: string;
  status: WantedStatus;
  /** The row's version when it was read: what was sent is this and no later wish. */
  version: number;
  attempts: number;
}

interface Stored {
  wanted: WantedStatus;
  /** Fingerprint of what the provider has; empty before the first sending. */
  sent: string;
  attempts: number;
  /** Epoch in ms. */
  retryAt: number;
}

/** A status that nobody asks for again is forgotten after 30 days. */
const KEEP_MS = 30 * 24 * 3_600_000;
const ATTEMPTS = 10;

/** Commit statuses on their way: written with the run, sent later, kept until the provider has them. */
export class Outbox {
  readonly #table: Table;
  readonly #now: () => number;

  constructor(table: Table, now: () => number) {
    this.#table = table;
    this.#now = now;
  }

  /** What a commit should show. Returns false when that is what was last wished for already. */
  async want(status: WantedStatus): Promise<boolean> {
    const id = idOf(status);
    for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
      const row = await this.#table.get<Stored>(statusPartition(status.destination), id);
      if (row && fingerprint(row.value.wanted) === fingerprint(status)) return false;
      const value: Stored = { wanted: status, sent: row?.value.sent ?? '', attempts: 0, retryAt: 0 };
      const options = { ifVersion: row?.version ?? 0, expiresAt: this.#now() + KEEP_MS };
      if ((await this.#table.put(statusPartition(status.destination), id, value, options)) === undefined)
        continue;
      await this.#table.put(pendingPartition(status.destination), id, this.#now());
      return true;
    }
    throw new Error(
      `the status ${status.context} of ${status.commit} could not be written: too many writers`,
    );
  }

  /** Statuses of a destination that are to be sent now. */
  async pending(destination: string, limit: number): Promise<OutboxEntry[]> {
    const open = await this.#table.query<number>(pendingPartition(destination));
    const entries: OutboxEntry[] = [];
    for (const { sort } of open.sort((a, b) => a.value - b.value)) {
      if (entries.length === limit) break;
      const row = await this.#table.get<Stored>(statusPartition(destination), sort);
      if (row && row.value.retryAt <= this.#now()) {
        entries.push({
          id: sort,
          status: row.value.wanted,
          version: row.version,
          attempts: row.value.attempts,
        });
      }
    }
    return entries;
  }

  /** The provider has it. When another wish came meanwhile, that one stays pending. */
  async sent(entry: OutboxEntry): Promise<void> {
    const { destination } = entry.status;
    const row = await this.#table.get<Stored>(statusPartition(destination), entry.id);
    if (!row) return;
    const value: Stored = { ...row.value, sent: fingerprint(entry.status), attempts: 0 };
    const expiresAt = this.#now() + KEEP_MS;
    const written = await this.#table.put(statusPartition(destination), entry.id, value, {
      ifVersion: row.version,
      expiresAt,
    });
    if (written !== undefined && row.version === entry.version) {
      await this.#table.delete(pendingPartition(destination), entry.id);
      // A wish written between the two would be forgotten.
      const again = await this.#table.get<Stored>(statusPartition(destination), entry.id);
      if (again && fingerprint(again.value.wanted) !== again.value.sent) {
        await this.#table.put(pendingPartition(destination), entry.id, this.#now());
      }
    }
  }

  /** It could not be sent; `retryAt` (epoch in ms) undefined: never again. */
  async failed(entry: OutboxEntry, retryAt: number | undefined): Promise<void> {
    const { destination } = entry.status;
    const row = await this.#table.get<Stored>(statusPartition(destination), entry.id);
    if (!row || row.version !== entry.version) return;
    if (retryAt === undefined) {
      await this.#table.delete(pendingPartition(destination), entry.id);
      return;
    }
    const value: Stored = { ...row.value, attempts: entry.attempts + 1, retryAt };
    await this.#table.put(statusPartition(destination), entry.id, value, {
      ifVersion: row.version,
      expiresAt: this.#now() + KEEP_MS,
    });
  }
}

function idOf({ project, commit, context }: WantedStatus): string {
  return `${project}#${commit}#${context}`;
}

function fingerprint({ state, description, targetUrl }: WantedStatus): string {
  return JSON.stringify([state, description, targetUrl ?? '']);
}

function statusPartition(destination: string): string {
  return `outbox#${destination}`;
}

function pendingPartition(destination: string): string {
  return `outbox-pending#${destination}`;
}
