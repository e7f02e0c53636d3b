import { clusterPartition } from './partitions.ts';
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
  /** `begun`: a run was begun and not ended; `waiting`: it ended, and has left something to do. The records of one that was begun count for nothing. */
  dirty: false | 'begun' | 'waiting';
  /** By which run each chunk was written; a chunk that another run has written is not trusted. */
  runs: string[];
  /** The revision that a run has begun to apply last; absent: not known. */
  revision?: string;
}

/** What a run finds when it begins, and its mark. */
export interface Begun {
  /** As {@link Applied.load}. */
  records: Map<string, StoredRecord>;
  /** A run was begun before and never ended. */
  cutOff: boolean;
  /** The version of the mark. */
  mark: number;
  /** The revision that the run applies. */
  revision?: string;
  /** The chunks as they stand, by sort key. */
  chunks: ReadonlyMap<string, Chunk>;
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
    const head = await this.#table.get<Head>(headPartition(cluster), owner);
    return trusted(await this.#chunks(cluster, owner, head?.value), head?.value);
  }

  /**
   * Before the first write of a run: reads the records, and marks the owner as dirty. Until {@link save}, the records are not to be trusted.
   */
  async begin(cluster: string, owner: string, revision?: string): Promise<Begun> {
    const known = await this.#table.get<Head>(headPartition(cluster), owner);
    const head: Head = { dirty: 'begun', runs: [], ...at(revision) };
    // A write without a condition always gets its version.
    const [chunks, mark = 0] = await Promise.all([
      this.#chunks(cluster, owner, known?.value),
      this.#table.put(headPartition(cluster), owner, head),
    ]);
    const cutOff = known?.value.dirty === 'begun';
    return { records: trusted(chunks, known?.value), cutOff, mark, chunks, ...at(revision) };
  }

  /** An owner without a head has never saved anything. */
  async #chunks(cluster: string, owner: string, head: Head | undefined): Promise<Map<string, Chunk>> {
    if (!head) return new Map();
    const rows = await this.#table.query<Chunk>(partition(cluster), { prefix: `${owner}#` });
    return new Map(rows.map(({ sort, value }) => [sort, value]));
  }

  /**
   * Writes the records of an owner and takes the mark of {@link begin} away.
   * @param run the id of the run; it tells its chunks from those of a worker that is late
   * @param waiting the run ended before all was done: the records hold, but what is left must not be taken for done
   * @returns false when another run has begun since the mark: then these records count for nothing
   */
  async save(
    cluster: string,
    owner: string,
    records: ReadonlyMap<string, StoredRecord>,
    { begun, run, waiting = false }: { begun: Begun; run: string; waiting?: boolean },
  ): Promise<boolean> {
    const present = new Map(begun.chunks);
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
    const head: Head = { dirty: waiting ? 'waiting' : false, runs, ...at(begun.revision) };
    const options = { ifVersion: begun.mark };
    return (await this.#table.put(headPartition(cluster), owner, head, options)) !== undefined;
  }

  /** After a run that has left something to do: it must not be taken for done by one that finds nothing new. */
  async markWaiting(cluster: string, owner: string, revision?: string): Promise<void> {
    const head: Head = { dirty: 'waiting', runs: [], ...at(revision) };
    await this.#table.put(headPartition(cluster), owner, head);
  }

  /** The revision that a run of an owner has begun to apply last: what that renders has stood in its inventory since. */
  async begunAt(cluster: string, owner: string): Promise<string | undefined> {
    return (await this.#table.get<Head>(headPartition(cluster), owner))?.value.revision;
  }

  /** Whether its records are not to be trusted, or it has something left to do. */
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
        const own = new Map((chunks.get(sort) ?? []).map((row) => [row.sort, row.value]));
        return [sort, { records: trusted(own, head), dirty: !isWhole(own, head) || head.dirty !== false }];
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

function at(revision: string | undefined): { revision?: string } {
  return revision === undefined ? {} : { revision };
}

function isWhole(chunks: ReadonlyMap<string, Chunk>, head: Head | undefined): boolean {
  if (head === undefined || head.dirty === 'begun') return false;
  const runs = [...chunks.values()].map(({ run }) => run);
  // What is beyond was left behind by a deletion that was cut off.
  return head.runs.every((run, index) => run === runs[index]);
}

function trusted(chunks: ReadonlyMap<string, Chunk>, head: Head | undefined): Map<string, StoredRecord> {
  if (!head || !isWhole(chunks, head)) return new Map();
  const own = [...chunks.values()].slice(0, head.runs.length);
  return new Map(own.flatMap(({ records }) => Object.entries(records)));
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
  return clusterPartition('applied', cluster);
}

function headPartition(cluster: string): string {
  return clusterPartition('applied-head', cluster);
}

function sortOf(owner: string, index: number): string {
  return `${owner}#${String(index).padStart(6, '0')}`;
}
