import { digestOf } from './digest.ts';

/** What stands in an artifact: each file's path (relative, `/`-separated) and the `sha256:` digest of its bytes. */
export type TreeIndex = Record<string, string>;

/**
 * What a render looked at in its tree: the files it read, the paths it tried and did not find, and the directories it
 * listed. Equal answers to all of these mean equal output.
 */
export interface Closure {
  files: string[];
  missing: string[];
  directories: string[];
}

/** A digest over the answers that a tree gives to a closure; it changes exactly when one of the answers does. */
export function closureDigest(closure: Closure, index: TreeIndex): string {
  const listings = listDirectories(closure.directories, index);
  return digestOf({
    files: Object.fromEntries(closure.files.map((path) => [path, index[path] ?? null])),
    missing: Object.fromEntries(closure.missing.map((path) => [path, exists(path, index)])),
    directories: Object.fromEntries(listings),
  });
}

function exists(path: string, index: TreeIndex): boolean {
  if (index[path] !== undefined) return true;
  const prefix = `${path}/`;
  return Object.keys(index).some((file) => file.startsWith(prefix));
}

function listDirectories(directories: readonly string[], index: TreeIndex): Map<string, string[]> {
  const names = new Map(directories.map((directory) => [directory, new Set<string>()]));
  for (const file of Object.keys(index)) {
    let end = file.length;
    while (end >= 0) {
      const slash = file.lastIndexOf('/', end - 1);
      const directory = slash < 0 ? '.' : file.slice(0, slash);
      names.get(directory)?.add(file.slice(slash + 1, end) + (end < file.length ? '/' : ''));
      if (slash < 0) break;
      end = slash;
    }
  }
  return new Map([...names].map(([directory, entries]) => [directory, [...entries].sort()]));
}
