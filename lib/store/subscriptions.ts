import pLimit from 'p-limit';
import { canonicalJson } from '../core/digest.ts';
import { clusterPartition } from './partitions.ts';
import type { Table, Write } from './table.ts';

/** An object that watches a repository: a source its Git repository, others an image. */
export interface Subscription {
  cluster: string;
  group: string;
  kind: string;
  namespace: string;
  name: string;
  /** Normalised: `host/path` of a Git repository, `oci://host/path` of an image. */
  repository: string;
  /** `spec.ref` of the object; empty where it has none. */
  ref: { branch?: string; tag?: string; semver?: string; name?: string; commit?: string };
}

/** Clusters that are asked at a time who watches a repository. */
const CONCURRENCY = 64;

/**
 * Which objects, in every cluster, watch which repository. Each cluster's rows stand in partitions of its own, so that a
 * worker can be kept from touching another cluster's.
 */
export class Subscriptions {
  readonly #table: Table;
  readonly #clusters: readonly string[];

  /** @param clusters those of the fleet file: only they are asked who watches a repository */
  constructor(table: Table, clusters: readonly string[]) {
    this.#table = table;
    this.#clusters = clusters;
  }

  /**
   * Makes these the subscriptions of a cluster; others that it had are removed. The rows that pushes are found by are written
   * first: cut off in between, the next call sees by the cluster's rows what is still to be done.
   */
  async replace(cluster: string, entries: readonly Subscription[]): Promise<void> {
    const present = await this.#table.query<Subscription>(ofCluster(cluster));
    const known = new Map(present.map(({ sort, value }) => [sort, value]));
    const wanted = new Map(entries.map((entry) => [sortOf(entry), entry]));
    const found: Write[] = [];
    const listed: Write[] = [];
    for (const [sort, value] of wanted) {
      if (canonicalJson(known.get(sort) ?? null) === canonicalJson(value)) continue;
      found.push({ put: { partition: ofRepository(cluster, value.repository), sort, value } });
      listed.push({ put: { partition: ofCluster(cluster), sort, value } });
    }
    for (const [sort, { repository }] of known) {
      const kept = wanted.get(sort);
      if (kept?.repository === repository) continue;
      found.push({ delete: { partition: ofRepository(cluster, repository), sort } });
      if (!kept) listed.push({ delete: { partition: ofCluster(cluster), sort } });
    }
    await this.#table.batch(found);
    await this.#table.batch(listed);
  }

  /** Writes the subscription of one object, and takes away the one it had to another repository. */
  async put(entry: Subscription): Promise<void> {
    const { cluster } = entry;
    const sort = sortOf(entry);
    const row = await this.#table.get<Subscription>(ofCluster(cluster), sort);
    if (row && canonicalJson(row.value) === canonicalJson(entry)) return;
    await this.#table.put(ofRepository(cluster, entry.repository), sort, entry);
    await this.#table.put(ofCluster(cluster), sort, entry);
    if (row && row.value.repository !== entry.repository)
      await this.#table.delete(ofRepository(cluster, row.value.repository), sort);
  }

  /** Removes the subscription of one object, named by its key (`GitRepository/apps/app`). */
  async remove(cluster: string, key: string): Promise<void> {
    const row = await this.#table.get<Subscription>(ofCluster(cluster), key);
    if (!row) return;
    await this.#table.delete(ofRepository(cluster, row.value.repository), key);
    await this.#table.delete(ofCluster(cluster), key);
  }

  /** Those of a cluster. */
  async of(cluster: string): Promise<Subscription[]> {
    return (await this.#table.query<Subscription>(ofCluster(cluster))).map(({ value }) => value);
  }

  /** Everything that watches a repository. */
  async find(repository: string): Promise<Subscription[]> {
    const limit = pLimit(CONCURRENCY);
    const rows = await Promise.all(
      this.#clusters.map((cluster) =>
        limit(() => this.#table.query<Subscription>(ofRepository(cluster, repository))),
      ),
    );
    return rows.flat().map(({ value }) => value);
  }
}

/** How the repository of an image is written in subscriptions, so that none is taken for a Git repository. */
export function imageSubscription(image: string): string {
  return `oci://${image}`;
}

function sortOf({ kind, namespace, name }: Subscription): string {
  return `${kind}/${namespace}/${name}`;
}

function ofCluster(cluster: string): string {
  return clusterPartition('sources', cluster);
}

function ofRepository(cluster: string, repository: string): string {
  return clusterPartition('subscriptions', cluster, repository);
}
