/** A row. `partition` and `sort` are its key; `value` is any JSON value. */
export interface Row<T = unknown> {
  partition: string;
  sort: string;
  value: T;
  /** Grows with every write; the token for {@link PutOptions.ifVersion}. */
  version: number;
  /** Epoch in ms after which the row counts as absent; 0 = never. */
  expiresAt: number;
}

/** Conditions of a write. */
export interface PutOptions {
  /** Only if the row has this version; 0 = only if it does not exist. */
  ifVersion?: number;
  /** Epoch in ms. Default: never. */
  expiresAt?: number;
}

/** A range of one partition, in order of the sort key (bytewise). */
export interface QueryOptions {
  /** Only sort keys that begin with this. */
  prefix?: string;
  /** Only sort keys ≥ this. */
  from?: string;
  /** Only sort keys < this. */
  to?: string;
  /** Newest (highest sort key) first. */
  reverse?: boolean;
  limit?: number;
}

/** A write of a batch. */
export type Write =
  | { put: { partition: string; sort: string; value: unknown; expiresAt?: number } }
  | { delete: { partition: string; sort: string } };

/**
 * The one table behind the index and the runs: DynamoDB's data model, so that DynamoDB and SQLite behave alike.
 * No transactions over several rows, by design. Implementations: `sqlite.ts`, `dynamodb.ts`; both pass `test/contract/table.ts`.
 */
export interface Table {
  /** The row, or undefined. Strongly consistent. */
  get<T>(partition: string, sort: string): Promise<Row<T> | undefined>;
  /** Writes a row. Returns its new version, or undefined when the condition did not hold (then nothing was written). */
  put(partition: string, sort: string, value: unknown, options?: PutOptions): Promise<number | undefined>;
  /** Deletes a row; with `ifVersion` only that version. Returns false when the condition did not hold. */
  delete(partition: string, sort: string, options?: { ifVersion?: number }): Promise<boolean>;
  query<T>(partition: string, options?: QueryOptions): Promise<Row<T>[]>;
  /**
   * Unconditional writes of any number of rows, in any order, not atomic together; of several writes of one row the last
   * counts. Resolves once all are durable. Not for rows that others write under conditions at the same time.
   */
  batch(writes: readonly Write[]): Promise<void>;
  close(): Promise<void>;
}
