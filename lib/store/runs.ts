import type { ChangeSetEntry } from '../core/changeset.ts';
import type { Origin, Trigger } from '../core/job.ts';
import type { Table } from './table.ts';

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
  /** What was done; a long list is cut, and `changeCount` tells how long it was. */
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

/** More changes than this are counted, not listed: a row must stay far below DynamoDB's 400 KB. */
const MAX_CHANGES = 1_000;

/** The audit: append-only, newest first. It cannot be rebuilt from anything else. */
export class Runs {
  readonly #table: Table;

  constructor(table: Table) {
    this.#table = table;
  }

  /** Appends a record. Appending the same id again changes nothing. */
  async append(run: RunRecord): Promise<void> {
    const cut = run.changes.length > MAX_CHANGES;
    const value: RunRecord = cut
      ? { ...run, changes: run.changes.slice(0, MAX_CHANGES), changeCount: run.changes.length }
      : run;
    const { kind, namespace, name } = run.object;
    await this.#table.put('runs', run.id, value, { ifVersion: 0 });
    await this.#table.put(`runs#${run.cluster}`, run.id, value, { ifVersion: 0 });
    await this.#table.put(`runs#${run.cluster}#${kind}/${namespace}/${name}`, run.id, value, {
      ifVersion: 0,
    });
  }

  async get(id: string): Promise<RunRecord | undefined> {
    return (await this.#table.get<RunRecord>('runs', id))?.value;
  }

  /** Newest first. */
  async list({ cluster, object, limit, before }: RunFilter): Promise<RunRecord[]> {
    const partition = ['runs', cluster, cluster === undefined ? undefined : object].filter(Boolean).join('#');
    const range = { reverse: true, limit, ...(before === undefined ? {} : { to: before }) };
    return (await this.#table.query<RunRecord>(partition, range)).map(({ value }) => value);
  }
}
