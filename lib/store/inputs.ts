import type { Closure } from '../core/tree.ts';
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
}

/** Input records of objects. Lost, everything is rendered anew. */
export class Inputs {
  readonly #table: Table;

  constructor(table: Table) {
    this.#table = table;
  }

  async get(cluster: string, key: string): Promise<InputRecord | undefined> {
    return (await this.#table.get<InputRecord>(partition(cluster), key))?.value;
  }

  async put(cluster: string, key: string, record: InputRecord): Promise<void> {
    await this.#table.put(partition(cluster), key, record);
  }

  /** All records of a cluster, by object key. */
  async loadCluster(cluster: string): Promise<Map<string, InputRecord>> {
    const rows = await this.#table.query<InputRecord>(partition(cluster));
    return new Map(rows.map(({ sort, value }) => [sort, value]));
  }

  async remove(cluster: string, key: string): Promise<void> {
    await this.#table.delete(partition(cluster), key);
  }
}

function partition(cluster: string): string {
  return `inputs#${cluster}`;
}
