import { gunzipSync, gzipSync } from 'node:zlib';
import type { Closure } from '../core/tree.ts';
import { MAX_VALUE_BYTES } from './limits.ts';
import { clusterPartition } from './partitions.ts';
import type { Table } from './table.ts';

/** What the last finished apply of an object was made from. */
export interface InputRecord {
  /** Generation of the object. */
  generation: number;
  /** Revision of the source. */
  revision: string;
  closure: Closure;
  closureDigest: string;
  /** Digest over everything that went into the render. */
  inputDigest: string;
  renderedDigest: string;
  /** What is to be said of it beside its success; absent: nothing. */
  notice?: string;
  /** Keys of Kustomizations that it leaves out and has not deleted yet, since others are still to be built; absent: none. */
  leaving?: readonly string[];
  /** The token of the lease under which it was written. */
  token?: number;
}

/** A record as it stands in its row: a closure over thousands of files is packed. */
type Stored = Omit<InputRecord, 'closure'> & ({ closure: Closure } | { packed: string });

/** How often a record is written again over another worker's write. */
const ATTEMPTS = 10;

/** Size of a closure in characters of JSON above which it is packed: below, packing costs more than it saves. */
const PACK_ABOVE = 32_768;

/** Input records of objects. Lost, everything is rendered anew. */
export class Inputs {
  readonly #table: Table;

  constructor(table: Table) {
    this.#table = table;
  }

  async get(cluster: string, key: string): Promise<InputRecord | undefined> {
    const row = await this.#table.get<Stored>(partition(cluster), key);
    return row && unpack(row.value);
  }

  /**
   * Writes a record, unless one of a later lease is there: a worker that was frozen must not undo what its successor noted. A record too
   * large even when packed is forgotten: the object is then rendered at every push to its source.
   * @param isFirst whether there is probably none yet, which spares a look
   */
  async put(cluster: string, key: string, record: InputRecord, isFirst = false): Promise<void> {
    const stored = pack(record);
    const tooLarge = 'packed' in stored && stored.packed.length > MAX_VALUE_BYTES - 8_192;
    for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
      const looks = attempt > 0 || !isFirst || tooLarge;
      const row = looks ? await this.#table.get<Stored>(partition(cluster), key) : undefined;
      if ((row?.value.token ?? 0) > (record.token ?? 0)) return;
      const ifVersion = row?.version ?? 0;
      const done = tooLarge
        ? row === undefined || (await this.#table.delete(partition(cluster), key, { ifVersion }))
        : (await this.#table.put(partition(cluster), key, stored, { ifVersion })) !== undefined;
      if (done) return;
    }
    throw new Error(`the inputs of ${key} in ${cluster} could not be written: too many writers`);
  }

  /** All records of a cluster, by object key. */
  async loadCluster(cluster: string): Promise<Map<string, InputRecord>> {
    const rows = await this.#table.query<Stored>(partition(cluster));
    return new Map(rows.map(({ sort, value }) => [sort, unpack(value)]));
  }

  async remove(cluster: string, key: string): Promise<void> {
    await this.#table.delete(partition(cluster), key);
  }
}

function pack(record: InputRecord): Stored {
  const { closure, ...rest } = record;
  const text = JSON.stringify(closure);
  return text.length <= PACK_ABOVE ? record : { ...rest, packed: gzipSync(text).toString('base64') };
}

function unpack(stored: Stored): InputRecord {
  if ('closure' in stored) return stored;
  const { packed, ...rest } = stored;
  return { ...rest, closure: JSON.parse(gunzipSync(Buffer.from(packed, 'base64')).toString()) as Closure };
}

function partition(cluster: string): string {
  return clusterPartition('inputs', cluster);
}
