import { sha256 } from '../core/digest.ts';
import { clusterPartition } from './partitions.ts';
import type { Table } from './table.ts';

/** What the webhook edge knows of a Receiver: enough to verify a call without asking a cluster. */
export interface ReceiverEntry {
  cluster: string;
  namespace: string;
  name: string;
  type: string;
  /** The generation of the object that this says. */
  generation: number;
  state: 'ready' | 'suspended' | 'not-ready';
  events: readonly string[];
  /** It has filters, which look at the body. */
  wantsRequest: boolean;
  /** Its token, with what else of its Secret is needed to verify; see `lib/secrets/seal.ts`. */
  sealed: string;
  oidcProviders: readonly ReceiverOidcProvider[];
}

/** An issuer of `spec.oidcProviders`. */
export interface ReceiverOidcProvider {
  issuerURL: string;
  audience: string;
  variables: readonly { name: string; expression: string }[];
  validations: readonly { expression: string; message: string }[];
}

/** A row of a cluster's list: where the entry stands that calls find, then where older ones may still stand. */
interface Listed {
  places: [string, ...string[]];
}

/** How often a state is written again over another worker's write. */
const ATTEMPTS = 5;

/**
 * The Receivers of every cluster by the path that they are called at. Equal Receivers of several clusters have the same path; one call is
 * then for all of them. A path may be the only secret there is, so rows are named by its digest.
 */
export class Receivers {
  readonly #table: Table;

  constructor(table: Table) {
    this.#table = table;
  }

  /** Everything that listens at a path, such as `/hook/<digest>`. */
  async find(path: string): Promise<ReceiverEntry[]> {
    return (await this.#table.query<ReceiverEntry>(placeOf(path))).map(({ value }) => value);
  }

  /**
   * Writes what a Receiver is now, and closes the path it had before. The list is written first, so that a path that was opened by a process
   * that died can still be closed.
   */
  async put(path: string, entry: ReceiverEntry): Promise<void> {
    const { cluster } = entry;
    const key = keyOf(entry);
    const place = placeOf(path);
    const known = await this.#placesOf(cluster, key);
    const older = known.filter((other) => other !== place);
    if (known[0] !== place)
      await this.#table.put(ofCluster(cluster), key, { places: [place, ...older] } satisfies Listed);
    await this.#table.put(place, `${cluster}/${key}`, entry);
    for (const other of older) await this.#table.delete(other, `${cluster}/${key}`);
    if (older.length > 0)
      await this.#table.put(ofCluster(cluster), key, { places: [place] } satisfies Listed);
  }

  /** Marks a Receiver that listens no more, unless what is known of it is of a later generation. */
  async setState(
    cluster: string,
    key: string,
    state: Exclude<ReceiverEntry['state'], 'ready'>,
    generation: number,
  ): Promise<void> {
    for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
      const [place] = await this.#placesOf(cluster, key);
      if (place === undefined) return;
      const row = await this.#table.get<ReceiverEntry>(place, `${cluster}/${key}`);
      if (!row || row.value.generation > generation) return;
      if (row.value.state === state && row.value.generation === generation) return;
      const options = { ifVersion: row.version };
      const entry = { ...row.value, state, generation };
      if ((await this.#table.put(place, `${cluster}/${key}`, entry, options)) !== undefined) return;
    }
    throw new Error(`the state of ${key} in ${cluster} could not be written: too many writers`);
  }

  /** Closes the path of a Receiver. @param key such as `Receiver/apps/hub` */
  async remove(cluster: string, key: string): Promise<void> {
    const places = await this.#placesOf(cluster, key);
    for (const place of places) await this.#table.delete(place, `${cluster}/${key}`);
    if (places.length > 0) await this.#table.delete(ofCluster(cluster), key);
  }

  /** The keys of the Receivers that are known of a cluster. */
  async keysOf(cluster: string): Promise<string[]> {
    return (await this.#table.query<Listed>(ofCluster(cluster))).map(({ sort }) => sort);
  }

  async #placesOf(cluster: string, key: string): Promise<string[]> {
    return (await this.#table.get<Listed>(ofCluster(cluster), key))?.value.places ?? [];
  }
}

function keyOf({ namespace, name }: ReceiverEntry): string {
  return `Receiver/${namespace}/${name}`;
}

function placeOf(path: string): string {
  return `receivers#${sha256(path)}`;
}

function ofCluster(cluster: string): string {
  return clusterPartition('receivers-of-cluster', cluster);
}
