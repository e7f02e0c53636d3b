import { sha256 } from './digest.ts';

/** What stands in an artifact: each file's path (relative, `/`-separated) and the `sha256:` digest of its bytes. */
export type TreeIndex = Record<string, string>;

/**
 * What a render looked at in its tree: the files it read, the paths where it looked whether there is a file, a directory or
 * nothing, and the directories it listed. Paths are relative to the root of the tree, which itself is `.`. Equal answers to
 * all of these mean equal output.
 */
export interface Closure {
  files: string[];
  missing: string[];
  directories: string[];
}

/** A directory's entries (those that are directories end in `/`) and, once it was asked for, a digest of them. */
interface Listing {
  names: string[];
  digest?: string;
}
type Directories = ReadonlyMap<string, Listing>;

/** An index is read once for all the closures that are compared with it. */
const known = new WeakMap<TreeIndex, Directories>();

/**
 * A digest over the answers that a tree gives to a closure; it changes exactly when one of the answers does. The first call
 * for an index looks at all of its files, further ones only at what the closure names; an index must not be changed in between.
 */
export function closureDigest(closure: Closure, index: TreeIndex): string {
  const directories = directoriesOf(index);
  return sha256(
    JSON.stringify([
      closure.files.map((path) => [path, fileAt(path, index)]),
      closure.missing.map((path) => [path, kindAt(path, index, directories)]),
      closure.directories.map((path) => [path, listingAt(path, directories)]),
    ]),
  );
}

function fileAt(path: string, index: TreeIndex): string | null {
  return Object.hasOwn(index, path) ? (index[path] as string) : null;
}

function kindAt(path: string, index: TreeIndex, directories: Directories): 'file' | 'directory' | null {
  if (Object.hasOwn(index, path)) return 'file';
  return directories.has(path) ? 'directory' : null;
}

function listingAt(path: string, directories: Directories): string | null {
  const listing = directories.get(path);
  if (!listing) return null;
  listing.digest ??= sha256(JSON.stringify(listing.names.sort()));
  return listing.digest;
}

function directoriesOf(index: TreeIndex): Directories {
  const found = known.get(index) ?? listDirectories(index);
  known.set(index, found);
  return found;
}

function listDirectories(index: TreeIndex): Directories {
  const entries = new Map<string, Listing>([['.', { names: [] }]]);
  for (const file of Object.keys(index)) {
    let end = file.length;
    for (;;) {
      const slash = file.lastIndexOf('/', end - 1);
      const directory = slash < 0 ? '.' : file.slice(0, slash);
      const name = file.slice(slash + 1, end) + (end < file.length ? '/' : '');
      const present = entries.get(directory);
      if (present) present.names.push(name);
      else entries.set(directory, { names: [name] });
      // A directory met before stands in its parent already.
      if (slash < 0 || present) break;
      end = slash;
    }
  }
  return entries;
}
