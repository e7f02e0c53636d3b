import { clusterPartition } from './partitions.ts';
import type { Table } from './table.ts';

/** When each object of a cluster is due next. Lost, everything counts as due. */
export class DueTimes {
  readonly #table: Table;

  constructor(table: Table) {
    this.#table = table;
  }

  /** @param dueAt epoch in ms */
  async set(cluster: string, key: string, dueAt: number): Promise<void> {
    await this.#table.put(partition(cluster), key, dueAt);
  }

  /** Sets many at once. */
  async setAll(cluster: string, entries: ReadonlyMap<string, number>): Promise<void> {
    await this.#table.batch(
      [...entries].map(([sort, value]) => ({ put: { partition: partition(cluster), sort, value } })),
    );
  }

  /** When an object is due: epoch in ms, or undefined when that is not known. */
  async get(cluster: string, key: string): Promise<number | undefined> {
    return (await this.#table.get<number>(partition(cluster), key))?.value;
  }

  /** Due times of a whole cluster, by object key. */
  async all(cluster: string): Promise<Map<string, number>> {
    const rows = await this.#table.query<number>(partition(cluster));
    return new Map(rows.map(({ sort, value }) => [sort, value]));
  }

  async clear(cluster: string, key: string): Promise<void> {
    await this.#table.delete(partition(cluster), key);
  }
}

function partition(cluster: string): string {
  return clusterPartition('due', cluster);
}
