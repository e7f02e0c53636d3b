import pLimit from 'p-limit';
import { digestOf } from '../core/digest.ts';
import type { CommitStatus } from '../forge/forge.ts';
import { clusterPartition } from './partitions.ts';
import type { Row, Table } from './table.ts';

/** A commit status that is to be sent to a provider. */
export interface WantedStatus extends CommitStatus {
  /** The cluster it tells of. */
  cluster: string;
  /** The provider's name in the fleet file. */
  destination: string;
  /**
   * Grows with what the status was computed from; a wish with a lower one comes late and is ignored, so that an old
   * `pending` never overwrites a final state. Default 0: wishes count in the order they come.
   */
  sequence?: number;
}

/** A row of the outbox. */
export interface OutboxEntry {
  id: string;
  status: WantedStatus;
  /** The version of the mark that something is to be sent, when it was read. */
  markVersion: number;
  attempts: number;
}

/** Where a status stands. */
type Place = Pick<WantedStatus, 'cluster' | 'destination'>;

interface Stored {
  wanted: WantedStatus;
  /** Fingerprint of what the provider has, or refuses for good; empty before. */
  sent: string;
  attempts: number;
}

/** That a status may have to be sent. */
interface Mark {
  /** Since when: epoch in ms. */
  at: number;
  /** Not before: epoch in ms. */
  retryAt: number;
}

/** A status that nobody asks for again is forgotten after 30 days. */
const KEEP_MS = 30 * 24 * 3_600_000;

/** A mark with nothing behind it may be one whose status is being written right now; after this it is a leftover. */
const LEFTOVER_MS = 3_600_000;

/** Clusters that are looked into at a time. */
const CONCURRENCY = 64;

/** How often a row is written again over another worker's write; every failure means that another one went through. */
const ATTEMPTS = 200;

/**
 * Commit statuses on their way: written with the run, sent later, kept until the provider has them. A row holds the latest wish
 * and what was sent last; a mark says that the two may differ. The mark is written before the wish and only taken away as
 * it was read, so that a crash or a wish in between never leaves a wish without a mark.
 */
export class Outbox {
  readonly #table: Table;
  readonly #now: () => number;
  readonly #clusters: readonly string[];
  readonly #wished: (destination: string) => Promise<void>;

  /**
   * @param clusters those of the fleet file, whose statuses are sent
   * @param wished called after each new wish, where nothing looks into the outbox all the time; what it throws, `want` throws
   */
  constructor(
    table: Table,
    now: () => number,
    clusters: readonly string[],
    wished: (destination: string) => Promise<void> = () => Promise.resolve(),
  ) {
    this.#table = table;
    this.#now = now;
    this.#clusters = clusters;
    this.#wished = wished;
  }

  /** What a commit should show. Returns false when that is what was last wished for already, or when it comes late. */
  async want(status: WantedStatus): Promise<boolean> {
    const id = idOf(status);
    for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
      const row = await this.#row(status, id);
      const order = row ? (status.sequence ?? 0) - (row.value.wanted.sequence ?? 0) : 0;
      const same = row !== undefined && fingerprint(row.value.wanted) === fingerprint(status);
      if (order < 0 || (same && order === 0)) return false;
      if (!same) await this.#mark(status, id);
      const attempts = same ? row.value.attempts : 0;
      const value: Stored = { wanted: status, sent: row?.value.sent ?? '', attempts };
      if (!(await this.#write(status, id, value, row))) continue;
      if (same) return false;
      // Whoever sent an older wish may have taken the mark away after it was written here.
      if (!(await this.#table.get<Mark>(marks(status), id))) await this.#mark(status, id);
      await this.#wished(status.destination);
      return true;
    }
    throw tooManyWriters(status);
  }

  /** Statuses of a destination that are to be sent now, oldest wish first. */
  async pending(destination: string, limit: number): Promise<OutboxEntry[]> {
    const now = this.#now();
    const concurrent = pLimit(CONCURRENCY);
    const marked = await Promise.all(
      this.#clusters.map((cluster) =>
        concurrent(async () => {
          const place = { cluster, destination };
          return (await this.#table.query<Mark>(marks(place))).map((mark) => ({ ...mark, place }));
        }),
      ),
    );
    const due = marked.flat().filter(({ value }) => value.retryAt <= now);
    const entries: OutboxEntry[] = [];
    for (const { place, ...mark } of due.sort((left, right) => left.value.at - right.value.at)) {
      if (entries.length === limit) break;
      const row = await this.#row(place, mark.sort);
      if (row && fingerprint(row.value.wanted) !== row.value.sent) {
        const { wanted, attempts } = row.value;
        entries.push({
          id: mark.sort,
          status: wanted,
          markVersion: mark.version,
          attempts,
        });
      } else if (mark.value.at + LEFTOVER_MS <= now) {
        await this.#table.delete(marks(place), mark.sort, { ifVersion: mark.version });
      }
    }
    return entries;
  }

  /** The provider has it. When another wish came meanwhile, that one stays pending. */
  async sent(entry: OutboxEntry): Promise<void> {
    for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
      const row = await this.#row(entry.status, entry.id);
      if (!row) return;
      const value: Stored = { ...row.value, sent: fingerprint(entry.status), attempts: 0 };
      if (!(await this.#write(entry.status, entry.id, value, row))) continue;
      const done = fingerprint(value.wanted) === value.sent;
      if (done) await this.#table.delete(marks(entry.status), entry.id, { ifVersion: entry.markVersion });
      return;
    }
    throw tooManyWriters(entry.status);
  }

  /** It could not be sent; `retryAt` (epoch in ms) undefined: never again. */
  async failed(entry: OutboxEntry, retryAt: number | undefined): Promise<void> {
    // Refused for good is as done as sent; a later wish is tried again.
    if (retryAt === undefined) return this.sent(entry);
    const row = await this.#row(entry.status, entry.id);
    // With a newer wish the count starts again, but the provider's wait holds for that one too.
    if (row && fingerprint(row.value.wanted) === fingerprint(entry.status)) {
      await this.#write(entry.status, entry.id, { ...row.value, attempts: entry.attempts + 1 }, row);
    }
    const mark = await this.#table.get<Mark>(marks(entry.status), entry.id);
    if (!mark) return;
    await this.#table.put(
      marks(entry.status),
      entry.id,
      { ...mark.value, retryAt },
      { ifVersion: mark.version },
    );
  }

  async #row(place: Place, id: string): Promise<Row<Stored> | undefined> {
    return this.#table.get<Stored>(statuses(place), id);
  }

  async #write(place: Place, id: string, value: Stored, row: Row<Stored> | undefined): Promise<boolean> {
    const options = { ifVersion: row?.version ?? 0, expiresAt: this.#now() + KEEP_MS };
    return (await this.#table.put(statuses(place), id, value, options)) !== undefined;
  }

  async #mark(place: Place, id: string): Promise<void> {
    const present = await this.#table.get<Mark>(marks(place), id);
    // A new version says that there is something new, even where the wait for the provider goes on.
    const mark: Mark = { at: present?.value.at ?? this.#now(), retryAt: present?.value.retryAt ?? 0 };
    await this.#table.put(marks(place), id, mark);
  }
}

/** A digest, since projects and contexts together may be longer than a key. */
function idOf({ project, commit, context }: WantedStatus): string {
  return digestOf([project, commit, context]);
}

function fingerprint({ state, description, targetUrl }: WantedStatus): string {
  return JSON.stringify([state, description, targetUrl ?? '']);
}

function tooManyWriters({ context, commit }: WantedStatus): Error {
  return new Error(`the status ${context} of ${commit} could not be written: too many writers`);
}

function statuses({ cluster, destination }: Place): string {
  return clusterPartition('outbox', cluster, destination);
}

function marks({ cluster, destination }: Place): string {
  return clusterPartition('outbox-pending', cluster, destination);
}
