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

/** Size of a row's value in bytes at which the next one is begun: far below what a row can hold. */
const CHUNK_BYTES = 200_000;

type Chunk = Record<string, StoredRecord>;

/** Records of applied objects, by owner (`Kustomization/apps/app`). Lost, everything is compared and applied anew. */
export class Applied {
  readonly #table: Table;

  constructor(table: Table) {
    this.#table = table;
  }

  /** The records of an owner; none while it is dirty, since a run that was cut off may have made any of them wrong. */
  async load(cluster: string, owner: string): Promise<Map<string, StoredRecord>> {
    const [rows, dirty] = await Promise.all([
      this.#table.query<Chunk>(partition(cluster), { prefix: `${owner}#` }),
      this.isDirty(cluster, owner),
    ]);
    return dirty ? new Map() : new Map(rows.flatMap(({ value }) => Object.entries(value)));
  }

  /** Writes the records of an owner and takes the mark of {@link markDirty} away. */
  async save(cluster: string, owner: string, records: ReadonlyMap<string, StoredRecord>): Promise<void> {
    const rows = await this.#table.query<Chunk>(partition(cluster), { prefix: `${owner}#` });
    const present = new Map(rows.map(({ sort, value }) => [sort, JSON.stringify(value)]));
    const writes: Write[] = [];
    for (const [index, value] of chunksOf(records).entries()) {
      const sort = sortOf(owner, index);
      if (present.get(sort) !== JSON.stringify(value)) {
        writes.push({ put: { partition: partition(cluster), sort, value } });
      }
      present.delete(sort);
    }
    for (const sort of present.keys()) writes.push({ delete: { partition: partition(cluster), sort } });
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

/** At least one chunk, so that an owner that applied nothing is known too. */
function chunksOf(records: ReadonlyMap<string, StoredRecord>): Chunk[] {
  const chunks: Chunk[] = [{}];
  let bytes = 0;
  for (const [identity, record] of records) {
    const size = Buffer.byteLength(identity) + JSON.stringify(record).length + 8;
    if (bytes + size > CHUNK_BYTES) {
      chunks.push({});
      bytes = 0;
    }
    (chunks.at(-1) as Chunk)[identity] = record;
    bytes += size;
  }
  return chunks;
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
