import type { Attributes } from './dynamodb-types.ts';
import type { StoredRow } from './sqlite-protocol.ts';
import type { Row } from './table.ts';

/** A row as DynamoDB keeps it. Attribute names are short because every one of them is paid for. */
export interface Item {
  /** `<table>#<partition>`. */
  pk: { S: string };
  sk: { S: string };
  /** The value as JSON text. */
  v: { S: string };
  /** The version. */
  n: { N: string };
  /** When the row counts as absent, an epoch in ms; 0 = never. */
  e: { N: string };
  /** When DynamoDB may remove it, an epoch in seconds, as its time to live wants it. */
  ttl?: { N: string };
}

/** The key of a row. */
export function keyOf(table: string, partition: string, sort: string): Attributes {
  return { pk: { S: `${table}#${partition}` }, sk: { S: sort } };
}

/** The item of a row. */
export function itemOf(table: string, row: StoredRow): Item {
  return {
    pk: { S: `${table}#${row.partition}` },
    sk: { S: row.sort },
    v: { S: row.value },
    n: { N: String(row.version) },
    e: { N: String(row.expiresAt) },
    ...(row.expiresAt === 0 ? {} : { ttl: { N: String(Math.ceil(row.expiresAt / 1_000)) } }),
  };
}

/** The row of an item; undefined when it has expired. */
export function rowOf<T>(table: string, item: Item, now: number): Row<T> | undefined {
  const expiresAt = Number(item.e.N);
  if (expiresAt !== 0 && expiresAt <= now) return undefined;
  return {
    partition: item.pk.S.slice(table.length + 1),
    sort: item.sk.S,
    value: JSON.parse(item.v.S) as T,
    version: Number(item.n.N),
    expiresAt,
  };
}

/** Versions for rows that are written without a look at what is there. */
export interface VersionClock {
  /** A version higher than all that this process has seen. */
  next(): number;
  /** Takes note of a version that the database gave. */
  saw(version: number): void;
}

/**
 * Versions from the clock, so that a row that was deleted and re-created, or overwritten in a batch, does not get one that
 * it had before.
 * @param now epoch in ms
 */
export function versionClock(now: () => number): VersionClock {
  let last = 0;
  return {
    next() {
      last = Math.max(last + 1, Math.floor(now()) * 1_000);
      return last;
    },
    saw(version) {
      last = Math.max(last, version);
    },
  };
}
