import type { Blobs } from '../blobs/blobs.ts';
import type { Artifact } from '../core/artifact.ts';
import type { TreeIndex } from '../core/tree.ts';

/** The key of the tree index that belongs to an artifact. */
export function indexKey(artifactPath: string): string {
  return `${artifactPath}.index.json`;
}

/** Indexes kept in memory; one of 50,000 files takes about 10 MB. */
const KEPT = 4;

const kept = new WeakMap<Blobs, Map<string, Promise<TreeIndex>>>();

/**
 * The files of an artifact and their digests; empty when the store has no index for it. The Kustomizations of a source ask for the same
 * index one after the other, and an artifact never changes: those used last stay in memory.
 */
export async function treeIndexOf(blobs: Blobs, { path }: Artifact): Promise<TreeIndex> {
  const indexes = kept.get(blobs) ?? new Map<string, Promise<TreeIndex>>();
  kept.set(blobs, indexes);
  const index = indexes.get(path) ?? read(blobs, path);
  indexes.delete(path);
  indexes.set(path, index);
  const [oldest] = indexes.keys();
  if (indexes.size > KEPT && oldest !== undefined) indexes.delete(oldest);
  try {
    const found = await index;
    // One that is missing may be there the next time.
    if (found === MISSING) indexes.delete(path);
    return found;
  } catch (error) {
    indexes.delete(path);
    throw error;
  }
}

const MISSING: TreeIndex = Object.freeze({});

async function read(blobs: Blobs, path: string): Promise<TreeIndex> {
  const bytes = await blobs.get(indexKey(path));
  return bytes ? (JSON.parse(Buffer.from(bytes).toString('utf8')) as TreeIndex) : MISSING;
}
