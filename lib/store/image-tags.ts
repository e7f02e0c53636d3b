import { gunzipSync, gzipSync } from 'node:zlib';
import { sha256 } from '../core/digest.ts';
import { clusterPartition } from './partitions.ts';
import type { Table } from './table.ts';

/** The tags of an image, as they were listed last. */
export interface TagRecord {
  /** The image with its registry: of another image these say nothing. */
  image: string;
  /** Those that count, the highest first. */
  tags: string[];
  /** The patterns by which others were left out. */
  exclusionList: string[];
  /** When all tags were listed last: epoch in ms. */
  listedAt: number;
  /** What the registry knows the list by, to tell whether it is still the same. */
  validator?: string;
  /** Tags that were seen one by one since a webhook spoke of them, and when (epoch in ms); a list may lag behind. */
  seen: Record<string, number>;
}

/** As a record stands in its row: the tags packed, there or in rows of their own. */
interface Stored extends Omit<TagRecord, 'tags'> {
  packed?: string;
  /** Name and number of the rows that hold the pieces. */
  pieces?: { name: string; count: number };
}

/** Characters of packed tags that fit into one row, with room for the rest of the record. */
const PIECE = 300_000;

/** A record may be replaced while its pieces are read. */
const ATTEMPTS = 3;

/** Tags of images by ImageRepository. Lost, they are listed anew. */
export class ImageTags {
  readonly #table: Table;

  constructor(table: Table) {
    this.#table = table;
  }

  /** The record of an object; undefined when there is none, or it was not written to its end. */
  async get(cluster: string, key: string): Promise<TagRecord | undefined> {
    for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
      const row = await this.#table.get<Stored>(partition(cluster), key);
      if (!row) return undefined;
      const { packed, pieces, ...rest } = row.value;
      const text = packed ?? (pieces && (await this.#join(cluster, key, pieces)));
      if (text !== undefined) return { ...rest, tags: unpack(text) };
    }
    return undefined;
  }

  /** Replaces the record of an object. Its pieces are written first, and those of the one before go last. */
  async put(cluster: string, key: string, record: TagRecord): Promise<void> {
    const { tags, ...rest } = record;
    const packed = gzipSync(JSON.stringify(tags)).toString('base64');
    if (packed.length <= PIECE) {
      await this.#table.put(partition(cluster), key, { ...rest, packed });
      return this.#clear(cluster, key, '');
    }
    const name = sha256(packed).slice(7, 23);
    const count = Math.ceil(packed.length / PIECE);
    await this.#table.batch(
      Array.from({ length: count }, (_, index) => ({
        put: {
          partition: piecesOf(cluster, key),
          sort: sortOf(name, index),
          value: packed.slice(index * PIECE, (index + 1) * PIECE),
        },
      })),
    );
    await this.#table.put(partition(cluster), key, { ...rest, pieces: { name, count } });
    await this.#clear(cluster, key, name);
  }

  async remove(cluster: string, key: string): Promise<void> {
    await this.#table.delete(partition(cluster), key);
    await this.#clear(cluster, key, '');
  }

  async #join(
    cluster: string,
    key: string,
    { name, count }: { name: string; count: number },
  ): Promise<string | undefined> {
    const rows = await this.#table.query<string>(piecesOf(cluster, key), { prefix: `${name}/` });
    return rows.length === count ? rows.map(({ value }) => value).join('') : undefined;
  }

  /** Takes away all pieces but those of one name. */
  async #clear(cluster: string, key: string, kept: string): Promise<void> {
    const rows = await this.#table.query(piecesOf(cluster, key));
    const old = rows.filter(({ sort }) => kept === '' || !sort.startsWith(`${kept}/`));
    if (old.length === 0) return;
    await this.#table.batch(old.map(({ partition, sort }) => ({ delete: { partition, sort } })));
  }
}

function unpack(text: string): string[] {
  return JSON.parse(gunzipSync(Buffer.from(text, 'base64')).toString()) as string[];
}

function partition(cluster: string): string {
  return clusterPartition('image-tags', cluster);
}

function piecesOf(cluster: string, key: string): string {
  return clusterPartition('image-tags-of', cluster, key);
}

function sortOf(name: string, index: number): string {
  return `${name}/${String(index).padStart(4, '0')}`;
}
