import type { Table, Write } from './table.ts';

/** What is remembered of one applied object; the meaning is the apply stage's (`lib/apply/types.ts`). */
export interface StoredRecord {
  desired: string;
  observation: string;
  checkedAt: number;
}

/** What is remembered of all objects that one owner has applied. */
export interface OwnerRecords {
  records: Map<string, StoredRecord>;
  /** Writing was begun and not ended: what the records say may be out of date. */
  dirty: boolean;
}

/** How many records stand in one row: some 220 bytes each, far below DynamoDB's 400 KB an item. */
const CHUNK = 1_000;

type Chunk = Record<string, StoredRecord>;

/** Records of applied objects, by owner (`Kustomization/apps/app`). Lost, everything is compared and applied anew. */
export class Applied {
  readonly #table: Table;

  constructor(table: Table) {
    this.#table = table;
  }

  async load(cluster: string, owner: string): Promise<Map<string, StoredRecord>> {
    const rows = await this.#table.query<Chunk>(partition(cluster), { prefix: `${owner}#` });
    return new Map(rows.flatMap(({ value }) => Object.entries(value)));
  }

  /** Writes the records of an owner and takes the mark of {@link markDirty} away. */
  async save(cluster: string, owner: string, records: ReadonlyMap<string, StoredRecord>): Promise<void> {
    const entries = [...records];
    const chunks = Math.max(1, Math.ceil(entries.length / CHUNK));
    const present = await this.#table.query(partition(cluster), { prefix: `${owner}#` });
    const writes: Write[] = [];
    for (let index = 0; index < chunks; index++) {
      const value = Object.fromEntries(entries.slice(index * CHUNK, (index + 1) * CHUNK));
      writes.push({ put: { partition: partition(cluster), sort: sortOf(owner, index), value } });
    }
    const wanted = new Set(Array.from({ length: chunks }, (_, index) => sortOf(owner, index)));
    for (const { sort } of present) {
      if (!wanted.has(sort)) writes.push({ delete: { partition: partition(cluster), sort } });
    }
    await this.#table.batch(writes);
    await this.#table.delete(dirtyPartition(cluster), owner);
  }

  /** Before the first write of a run: until {@link save}, the records are not to be trusted. */
  async markDirty(cluster: string, owner: string): Promise<void> {
    await this.#table.put(dirtyPartition(cluster), owner, true);
  }

  async isDirty(cluster: string, owner: string): Promise<boolean> {
    return (await this.#table.get(dirtyPartition(cluster), owner)) !== undefined;
  }

  /** All owners of a cluster. */
  async loadCluster(cluster: string): Promise<Map<string, OwnerRecords>> {
    const [rows, dirty] = await Promise.all([
      this.#table.query<Chunk>(partition(cluster)),
      this.#table.query(dirtyPartition(cluster)),
    ]);
    const owners = new Map<string, OwnerRecords>();
    for (const { sort, value } of rows) {
      const owner = sort.slice(0, sort.lastIndexOf('#'));
      const entry = owners.get(owner) ?? { records: new Map(), dirty: false };
      for (const [identity, record] of Object.entries(value)) entry.records.set(identity, record);
      owners.set(owner, entry);
    }
    for (const { sort } of dirty) {
      const entry = owners.get(sort);
      if (entry) entry.dirty = true;
      else owners.set(sort, { records: new Map(), dirty: true });
    }
    return owners;
  }

  async remove(cluster: string, owner: string): Promise<void> {
    const rows = await this.#table.query(partition(cluster), { prefix: `${owner}#` });
    await this.#table.batch([
      ...rows.map(({ sort }) => ({ delete: { partition: partition(cluster), sort } })),
      { delete: { partition: dirtyPartition(cluster), sort: owner } },
    ]);
  }
}

function partition(cluster: string): string {
  return `applied#${cluster}`;
}

function dirtyPartition(cluster: string): string {
  return `applied-dirty#${cluster}`;
}

function sortOf(owner: string, index: number): string {
  return `${owner}#${String(index).padStart(6, '0')}`;
}
