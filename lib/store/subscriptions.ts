import type { Table, Write } from './table.ts';

/** A source object that watches a repository. */
export interface Subscription {
  cluster: string;
  group: string;
  kind: string;
  namespace: string;
  name: string;
  /** Normalised: `host/path`. */
  repository: string;
  /** `spec.ref` of the object. */
  ref: { branch?: string; tag?: string; semver?: string; name?: string; commit?: string };
}

/** Which source objects, in every cluster, watch which repository. */
export class Subscriptions {
  readonly #table: Table;

  constructor(table: Table) {
    this.#table = table;
  }

  /** Makes these the subscriptions of a cluster; others that it had are removed. */
  async replace(cluster: string, entries: readonly Subscription[]): Promise<void> {
    const present = await this.#table.query<Subscription>(ofCluster(cluster));
    const known = new Map(present.map((row) => [row.sort, JSON.stringify(row.value)]));
    const wanted = new Map(entries.map((entry) => [sortOf(entry), entry]));
    const writes: Write[] = [];
    for (const [sort, entry] of wanted) {
      if (known.get(sort) === JSON.stringify(entry)) continue;
      // The repository's row first: a push must find the object as soon as the cluster's row says it does.
      writes.push({
        put: { partition: ofRepository(entry.repository), sort: `${cluster}/${sort}`, value: entry },
      });
      writes.push({ put: { partition: ofCluster(cluster), sort, value: entry } });
    }
    for (const { sort, value } of present) {
      const kept = wanted.get(sort);
      if (kept?.repository === value.repository) continue;
      writes.push({ delete: { partition: ofRepository(value.repository), sort: `${cluster}/${sort}` } });
      if (!kept) writes.push({ delete: { partition: ofCluster(cluster), sort } });
    }
    await this.#table.batch(writes);
  }

  /** Removes the subscription of one object, named by its key (`GitRepository/apps/app`). */
  async remove(cluster: string, key: string): Promise<void> {
    const row = await this.#table.get<Subscription>(ofCluster(cluster), key);
    if (!row) return;
    await this.#table.batch([
      { delete: { partition: ofRepository(row.value.repository), sort: `${cluster}/${key}` } },
      { delete: { partition: ofCluster(cluster), sort: key } },
    ]);
  }

  /** Everything that watches a repository. */
  async find(repository: string): Promise<Subscription[]> {
    return (await this.#table.query<Subscription>(ofRepository(repository))).map(({ value }) => value);
  }
}

function sortOf({ kind, namespace, name }: Subscription): string {
  return `${kind}/${namespace}/${name}`;
}

function ofCluster(cluster: string): string {
  return `subscriptions-of-cluster#${cluster}`;
}

function ofRepository(repository: string): string {
  return `subscriptions#${repository}`;
}
