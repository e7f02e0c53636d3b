import pLimit from 'p-limit';
import type { ObjectRef } from '../core/object.ts';
import { clusterPartition } from './partitions.ts';
import type { Table } from './table.ts';

/** An object of another source that a commit has written: it has a part in the commit's rollout until it is ready once. */
export interface Guest {
  /** Names the object in the index, such as `GitRepository/apps/shop`. */
  key: string;
  ref: Pick<ObjectRef, 'group' | 'kind' | 'namespace' | 'name'>;
  /** Key of the source whose commit it was. */
  source: string;
  /** Full hash. A later commit of the same source takes the guest over. */
  commit: string;
  /** Key of the Kustomization that wrote it; empty when that is not known any more. */
  writer: string;
  /** Which object was written, and its generation then: a run that began before says nothing of it. */
  uid: string;
  generation: number;
}

/** A guest and the version of its row. */
export type InvitedGuest = Guest & { version: number };

/** As long as rollouts are remembered. */
const KEEP_MS = 30 * 24 * 3_600_000;

/** Rows that are written at a time. */
const CONCURRENCY = 32;

/** Which objects have a part in the rollouts of sources that are not their own. */
export class Guests {
  readonly #table: Table;
  readonly #now: () => number;

  constructor(table: Table, now: () => number) {
    this.#table = table;
    this.#now = now;
  }

  /** Writes guests, over what was known of them for the same source. */
  async invite(cluster: string, guests: readonly Guest[]): Promise<void> {
    const limit = pLimit(CONCURRENCY);
    const expiresAt = this.#now() + KEEP_MS;
    await Promise.all(
      guests.map((guest) =>
        limit(() => this.#table.put(partition(cluster), sortOf(guest), guest, { expiresAt })),
      ),
    );
  }

  /** What one object is a guest of: at most one commit of each source. */
  async of(cluster: string, key: string): Promise<InvitedGuest[]> {
    const rows = await this.#table.query<Guest>(partition(cluster), { prefix: `${key}#` });
    return rows.map(({ value, version }) => ({ ...value, version }));
  }

  /** All guests of a cluster, or those of one source. */
  async all(cluster: string, source?: string): Promise<InvitedGuest[]> {
    const rows = await this.#table.query<Guest>(partition(cluster));
    const guests = rows.map(({ value, version }) => ({ ...value, version }));
    return source === undefined ? guests : guests.filter((guest) => guest.source === source);
  }

  /** Forgets a guest, unless it was invited again since it was read. @returns whether it was forgotten */
  async dismiss(cluster: string, guest: InvitedGuest): Promise<boolean> {
    return this.#table.delete(partition(cluster), sortOf(guest), { ifVersion: guest.version });
  }
}

function partition(cluster: string): string {
  return clusterPartition('rollout-guests', cluster);
}

function sortOf({ key, source }: Pick<Guest, 'key' | 'source'>): string {
  return `${key}#${source}`;
}
