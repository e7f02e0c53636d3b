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

type Records = Record<string, StoredRecord>;

/** A part of an owner's records, and by which run it was written. */
interface Chunk {
  run: string;
  records: Records;
}

/** Says which chunks belong together. */
interface Head {
  /** `begun`: a run was begun and not ended; `waiting`: it ended, and has left something to do. */
  dirty: false | 'begun' | 'waiting';
  /** By which run each chunk was written; a chunk that another run has written is not trusted. */
  runs: string[];
}

/** Whose records are saved. */
export interface SaveOptions {
  /** The id of the run; it tells its chunks from those of a worker that is late. */
  run?: string;
  /** What {@link Applied.markDirty} returned: saved only while no other run has begun. */
  ifMark?: number;
}

/**
 * Records of applied objects, by owner (`Kustomization/apps/app`). Lost, everything is compared and applied anew. A worker that was frozen,
 * lost its owner and comes late spoils at most the records, never what they are trusted to say.
 */
export class Applied {
  readonly #table: Table;

  constructor(table: Table) {
    this.#table = table;
  }

  /** The records of an owner; none while it is dirty, since a run that was cut off may have made any of them wrong. */
  async load(cluster: string, owner: string): Promise<Map<string, StoredRecord>> {
    const [rows, head] = await Promise.all([
      this.#table.query<Chunk>(partition(cluster), { prefix: `${owner}#` }),
      this.#table.get<Head>(headPartition(cluster), owner),
    ]);
    const chunks = rows.map(({ value }) => value);
    return isWhole(chunks, head?.value) ? recordsOf(chunks) : new Map();
  }

  /**
   * Writes the records of an owner and takes the mark of {@link markDirty} away.
   * @returns false when another run has begun since the mark: then these records count for nothing
   */
  async save(
    cluster: string,
    owner: string,
    records: ReadonlyMap<string, StoredRecord>,
    { run = '', ifMark }: SaveOptions = {},
  ): Promise<boolean> {
    const rows = await this.#table.query<Chunk>(partition(cluster), { prefix: `${owner}#` });
    const present = new Map(rows.map(({ sort, value }) => [sort, value]));
    const writes: Write[] = [];
    const runs: string[] = [];
    for (const [index, chunk] of chunksOf(records).entries()) {
      const sort = sortOf(owner, index);
      const known = present.get(sort);
      const same = known !== undefined && JSON.stringify(known.records) === JSON.stringify(chunk);
      runs.push(same ? known.run : run);
      const value: Chunk = { run, records: chunk };
      if (!same) writes.push({ put: { partition: partition(cluster), sort, value } });
      present.delete(sort);
    }
    for (const sort of present.keys()) writes.push({ delete: { partition: partition(cluster), sort } });
    await this.#table.batch(writes);
    const head: Head = { dirty: false, runs };
    const options = ifMark === undefined ? {} : { ifVersion: ifMark };
    return (await this.#table.put(headPartition(cluster), owner, head, options)) !== undefined;
  }

  /**
   * Before the first write of a run: until {@link save}, the records are not to be trusted.
   * @returns the mark, for the saving
   */
  async markDirty(cluster: string, owner: string): Promise<number | undefined> {
    const head: Head = { dirty: 'begun', runs: [] };
    return this.#table.put(headPartition(cluster), owner, head);
  }

  /** After a run that has left something to do: it must not be taken for done by one that finds nothing new. */
  async markWaiting(cluster: string, owner: string): Promise<void> {
    const head: Head = { dirty: 'waiting', runs: [] };
    await this.#table.put(headPartition(cluster), owner, head);
  }

  /** Whether a run was begun and never ended. */
  async wasCutOff(cluster: string, owner: string): Promise<boolean> {
    return (await this.#table.get<Head>(headPartition(cluster), owner))?.value.dirty === 'begun';
  }

  async isDirty(cluster: string, owner: string): Promise<boolean> {
    const head = await this.#table.get<Head>(headPartition(cluster), owner);
    return head !== undefined && head.value.dirty !== false;
  }

  /** All owners of a cluster. */
  async loadCluster(cluster: string): Promise<Map<string, OwnerRecords>> {
    const [rows, heads] = await Promise.all([
      this.#table.query<Chunk>(partition(cluster)),
      this.#table.query<Head>(headPartition(cluster)),
    ]);
    const chunks = Map.groupBy(rows, ({ sort }) => sort.slice(0, sort.lastIndexOf('#')));
    return new Map(
      heads.map(({ sort, value: head }) => {
        const own = (chunks.get(sort) ?? []).map(({ value }) => value);
        const whole = isWhole(own, head);
        return [sort, { records: whole ? recordsOf(own) : new Map(), dirty: !whole }];
      }),
    );
  }

  async remove(cluster: string, owner: string): Promise<void> {
    const rows = await this.#table.query(partition(cluster), { prefix: `${owner}#` });
    await this.#table.batch([
      ...rows.map(({ sort }) => ({ delete: { partition: partition(cluster), sort } })),
      { delete: { partition: headPartition(cluster), sort: owner } },
    ]);
  }
}

function isWhole(chunks: readonly Chunk[], head: Head | undefined): boolean {
  if (head?.dirty !== false || chunks.length !== head.runs.length) return false;
  return chunks.every(({ run }, index) => run === head.runs[index]);
}

function recordsOf(chunks: readonly Chunk[]): Map<string, StoredRecord> {
  return new Map(chunks.flatMap(({ records }) => Object.entries(records)));
}

/** At least one chunk, so that an owner that applied nothing is known too. */
function chunksOf(records: ReadonlyMap<string, StoredRecord>): Records[] {
  const chunks: Records[] = [{}];
  let bytes = 0;
  for (const [identity, record] of records) {
    const size = Buffer.byteLength(identity) + JSON.stringify(record).length + 8;
    if (bytes + size > CHUNK_BYTES) {
      chunks.push({});
      bytes = 0;
    }
    (chunks.at(-1) as Records)[identity] = record;
    bytes += size;
  }
  return chunks;
}

function partition(cluster: string): string {
  return `applied#${cluster}`;
}

function headPartition(cluster: string): string {
  return `applied-head#${cluster}`;
}

function sortOf(owner: string, index: number): string {
  return `${owner}#${String(index).padStart(6, '0')}`;
}
