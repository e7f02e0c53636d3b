/** An archive that cannot be written or must not be read. */
export class TarError extends Error {
  override readonly name = 'TarError';
}

/** Why a path must not stand in a tree; undefined when it may. */
export function faultOfPath(path: string): string | undefined {
  if (path === '') return 'is empty';
  if (path.startsWith('/')) return 'is absolute';
  if (path.includes('\0')) return 'contains a NUL';
  if (path.length > 4_096) return 'is longer than 4096 characters';
  for (const part of path.split('/')) {
    if (part === '..') return 'leads out of the tree';
    if (part === '' || part === '.') return 'is not a plain path';
  }
  return undefined;
}

/** The first file that is also the directory of another; undefined when there is none. */
export function directoryAmong(files: ReadonlySet<string>): string | undefined {
  for (const path of files) {
    for (let slash = path.indexOf('/'); slash >= 0; slash = path.indexOf('/', slash + 1)) {
      if (files.has(path.slice(0, slash))) return path.slice(0, slash);
    }
  }
  return undefined;
}
