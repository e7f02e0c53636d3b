import pLimit from 'p-limit';
import type { ChangeSetEntry } from '../core/changeset.ts';
import type { Origin, Trigger } from '../core/job.ts';
import { clusterPartition } from './partitions.ts';
import type { Table, Write } from './table.ts';

/** The record of one reconcile that did something. */
export interface RunRecord {
  /** Sortable by time and unguessable. */
  id: string;
  cluster: string;
  object: { group: string; kind: string; namespace: string; name: string };
  trigger: Trigger;
  origin?: Origin;
  revision?: string;
  /** Epoch in ms. */
  startedAt: number;
  /** Epoch in ms. */
  finishedAt: number;
  steps: { name: string; ms: number }[];
  /** What was done. In a list only the first changes of a long run; `changeCount` then tells how many there are. */
  changes: ChangeSetEntry[];
  changeCount?: number;
  result: 'success' | 'failure' | 'waiting';
  reason: string;
  message: string;
}

/** What to list. */
export interface RunFilter {
  cluster?: string;
  /** Object key, such as `Kustomization/apps/app`; only with `cluster`. */
  object?: string;
  limit: number;
  /** Only runs older than the one of this id. */
  before?: string;
}

/** Size of the changes that stand in one row, in bytes of JSON: far below what a row can hold. */
const CHUNK_BYTES = 100_000;

/** A message or detail longer than this many characters is cut: it might not fit a row, and nobody reads it. */
const MAX_TEXT = 10_000;

/** Records that are read at a time. */
const CONCURRENCY = 16;

/** The audit: append-only, newest first. It cannot be rebuilt from anything else. */
export class Runs {
  readonly #table: Table;
  readonly #clusters: readonly string[];

  /** @param clusters those of the fleet file, whose runs a list of all shows */
  constructor(table: Table, clusters: readonly string[]) {
    this.#table = table;
    this.#clusters = clusters;
  }

  /** Appends a record. Appending the same id again changes nothing. */
  async append(run: RunRecord): Promise<void> {
    const { cluster, object, id } = run;
    const [first = [], ...more] = chunksOf(run.changes);
    const rest = more.map((value, index): Write => {
      return { put: { partition: restPartition(cluster, id), sort: String(index).padStart(6, '0'), value } };
    });
    await this.#table.batch(rest);
    const value: RunRecord = {
      ...run,
      message: shorten(run.message),
      changes: first,
      ...(rest.length === 0 ? {} : { changeCount: run.changes.length }),
    };
    // The entry of the object's list before the record: one without its record is passed over, a record without it unfindable.
    await this.#table.put(objectPartition(cluster, objectKeyOf(object)), id, '');
    await this.#table.put(recordPartition(cluster), id, value, { ifVersion: 0 });
  }

  /** A record with all its changes, or undefined. */
  async get(cluster: string, id: string): Promise<RunRecord | undefined> {
    const run = (await this.#table.get<RunRecord>(recordPartition(cluster), id))?.value;
    if (run?.changeCount === undefined) return run;
    const rest = await this.#table.query<ChangeSetEntry[]>(restPartition(cluster, id));
    return { ...run, changes: [...run.changes, ...rest.flatMap(({ value }) => value)] };
  }

  /** Newest first. */
  async list({ cluster, object, limit, before }: RunFilter): Promise<RunRecord[]> {
    const range = { reverse: true, limit, ...(before === undefined ? {} : { to: before }) };
    const concurrent = pLimit(CONCURRENCY);
    if (cluster === undefined || object === undefined) {
      const clusters = cluster === undefined ? this.#clusters : [cluster];
      const found = await Promise.all(
        clusters.map((each) => concurrent(() => this.#table.query<RunRecord>(recordPartition(each), range))),
      );
      return found
        .flatMap((rows) => rows.map(({ value }) => value))
        .sort((left, right) => (left.id < right.id ? 1 : -1))
        .slice(0, limit);
    }
    const rows = await this.#table.query(objectPartition(cluster, object), range);
    const runs = await Promise.all(
      rows.map(({ sort }) => concurrent(() => this.#table.get<RunRecord>(recordPartition(cluster), sort))),
    );
    return runs.flatMap((row) => (row ? [row.value] : []));
  }
}

function chunksOf(changes: readonly ChangeSetEntry[]): ChangeSetEntry[][] {
  const chunks: ChangeSetEntry[][] = [];
  let bytes = Number.POSITIVE_INFINITY;
  for (const change of changes) {
    const cut = change.detail === undefined ? change : { ...change, detail: shorten(change.detail) };
    const size = Buffer.byteLength(JSON.stringify(cut));
    if (bytes + size > CHUNK_BYTES) {
      chunks.push([]);
      bytes = 0;
    }
    chunks.at(-1)?.push(cut);
    bytes += size;
  }
  return chunks;
}

function shorten(text: string): string {
  return text.length > MAX_TEXT ? `${text.slice(0, MAX_TEXT)}…` : text;
}

function objectKeyOf({ kind, namespace, name }: RunRecord['object']): string {
  return `${kind}/${namespace}/${name}`;
}

function recordPartition(cluster: string): string {
  return clusterPartition('run', cluster);
}

function objectPartition(cluster: string, object: string): string {
  return clusterPartition('runs', cluster, object);
}

function restPartition(cluster: string, id: string): string {
  return clusterPartition('run-changes', cluster, id);
}
