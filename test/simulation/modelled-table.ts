import { boundsOf, compareKeys } from '../../lib/store/limits.ts';
import type { PutOptions, QueryOptions, Row, Table, Write } from '../../lib/store/table.ts';
import { frozen } from './frozen.ts';
import type { Process, Scheduler } from './scheduler.ts';
import { wireCopy } from './wire-copy.ts';

interface Stored {
  /** Shared by all who read it. */
  value: unknown;
  version: number;
  expiresAt: number;
}

/** Rows as DynamoDB keeps them: every write of one row happens at one moment and under its condition, reads are consistent. */
export class Rows {
  readonly #partitions: Map<string, Map<string, Stored>>;
  readonly #keep: (value: unknown) => unknown;
  #versions: number;
  /** Called after each row that was put. */
  onPut: ((partition: string, sort: string, value: unknown) => void) | undefined;

  /** @param strict whether a process that changes what it has read is refused */
  constructor(from?: Rows, strict = false) {
    this.#keep = strict ? frozen : (value) => value;
    const known = from ? [...from.#partitions] : [];
    this.#partitions = new Map(known.map(([name, rows]) => [name, new Map(rows)]));
    this.#versions = from ? from.#versions : 0;
  }

  get<T>(partition: string, sort: string, now: number): Row<T> | undefined {
    const stored = this.#partitions.get(partition)?.get(sort);
    return stored && isThere(stored, now) ? rowOf<T>(partition, sort, stored) : undefined;
  }

  put(
    partition: string,
    sort: string,
    value: unknown,
    now: number,
    { ifVersion, expiresAt = 0 }: PutOptions = {},
  ): number | undefined {
    if (ifVersion !== undefined && (this.get(partition, sort, now)?.version ?? 0) !== ifVersion)
      return undefined;
    this.#versions += 1;
    const rows = this.#partitions.get(partition) ?? new Map<string, Stored>();
    this.#partitions.set(partition, rows);
    rows.set(sort, { value: this.#keep(value), version: this.#versions, expiresAt });
    this.onPut?.(partition, sort, value);
    return this.#versions;
  }

  delete(partition: string, sort: string, now: number, ifVersion?: number): boolean {
    if (ifVersion !== undefined && this.get(partition, sort, now)?.version !== ifVersion) return false;
    this.#partitions.get(partition)?.delete(sort);
    return true;
  }

  query<T>(partition: string, now: number, options: QueryOptions = {}): Row<T>[] {
    const { from, to } = boundsOf(options);
    const rows = [...(this.#partitions.get(partition) ?? [])]
      .filter(([sort, stored]) => isThere(stored, now) && sort >= from && (to === undefined || sort < to))
      .sort(([a], [b]) => compareKeys(a, b))
      .map(([sort, stored]) => rowOf<T>(partition, sort, stored));
    if (options.reverse) rows.reverse();
    return rows.slice(0, options.limit);
  }

  write(write: Write, now: number): void {
    if ('put' in write) {
      const { partition, sort, value, expiresAt } = write.put;
      this.put(partition, sort, value, now, expiresAt === undefined ? {} : { expiresAt });
    } else this.delete(write.delete.partition, write.delete.sort, now);
  }
}

/** The rows as one process sees them. */
export function modelledTable(scheduler: Scheduler, process: Process, rows: Rows): Table {
  const call = <T>(name: string, writes: boolean, act: () => T) =>
    scheduler.call(process, 'table', name, { writes, act });
  return {
    get: <T>(partition: string, sort: string) =>
      call(`get ${partition} ${sort}`, false, () => rows.get<T>(partition, sort, scheduler.now)),
    put: (partition, sort, value, options) => {
      const copy: unknown = wireCopy(value);
      return call(`put ${partition} ${sort}`, true, () =>
        rows.put(partition, sort, copy, scheduler.now, options),
      );
    },
    delete: (partition, sort, options) =>
      call(`delete ${partition} ${sort}`, true, () =>
        rows.delete(partition, sort, scheduler.now, options?.ifVersion),
      ),
    query: <T>(partition: string, options?: QueryOptions) =>
      call(`query ${partition}`, false, () => rows.query<T>(partition, scheduler.now, options)),
    async batch(writes) {
      // Each by itself and in any order: a batch is not atomic.
      await Promise.all(
        writes.map((write) => {
          const { partition, sort } = 'put' in write ? write.put : write.delete;
          const copy: Write = wireCopy(write);
          return call(`batch ${partition} ${sort}`, true, () => rows.write(copy, scheduler.now));
        }),
      );
    },
    close: () => Promise.resolve(),
  };
}

function isThere({ expiresAt }: Stored, now: number): boolean {
  return expiresAt === 0 || expiresAt > now;
}

function rowOf<T>(partition: string, sort: string, { value, version, expiresAt }: Stored): Row<T> {
  return { partition, sort, value: value as T, version, expiresAt };
}
