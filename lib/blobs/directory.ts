import { randomUUID } from 'node:crypto';
import { mkdir, open, readdir, readFile, rename, rm, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { Blobs } from './blobs.ts';
import { checkKey, checkPrefix } from './check-key.ts';

/** Half-written files stand here, on the same file system, so that a rename makes them whole. No key begins with a dot. */
const TEMPORARY = '.tmp';

/** Longer than any write takes. */
const LEFTOVER_MS = 3_600_000;

/**
 * Blobs as files of a folder: `<root>/<key>`. Files are written aside, synced, then renamed, and the folder is synced, so
 * that a blob is whole and stays after a power cut once `put` resolved.
 * @param root created when absent, readable by its owner alone
 */
export async function directoryBlobs(root: string): Promise<Blobs> {
  await mkdir(join(root, TEMPORARY), { recursive: true, mode: 0o700 });
  await removeLeftovers(join(root, TEMPORARY));
  const synced = new Set<string>();

  function fileOf(key: string): string {
    checkKey(key);
    return join(root, key);
  }

  /** Creates a folder below the root and makes its entry in the folder above durable. */
  async function makeFolder(folder: string): Promise<void> {
    if (synced.has(folder) || folder === root || folder === dirname(folder)) return;
    await makeFolder(dirname(folder));
    await mkdir(folder, { recursive: true, mode: 0o700 });
    await syncFolder(dirname(folder));
    synced.add(folder);
  }

  return {
    async put(key, data) {
      const file = fileOf(key);
      if (await isFile(file)) return;
      const temporary = join(root, TEMPORARY, randomUUID());
      try {
        const handle = await open(temporary, 'wx', 0o600);
        try {
          await handle.writeFile(data);
          await handle.sync();
        } finally {
          await handle.close();
        }
        await makeFolder(dirname(file));
        await rename(temporary, file);
        await syncFolder(dirname(file));
      } catch (error) {
        await rm(temporary, { force: true });
        throw error;
      }
    },
    async get(key) {
      return unlessMissing(readFile(fileOf(key)));
    },
    async has(key) {
      return isFile(fileOf(key));
    },
    async delete(key) {
      await rm(fileOf(key), { force: true });
    },
    async *list(prefix) {
      checkPrefix(prefix);
      yield* walk(root, '', prefix);
    },
  };
}

async function* walk(
  root: string,
  folder: string,
  prefix: string,
): AsyncIterable<{ key: string; size: number; modifiedAt: number }> {
  const entries = (await unlessMissing(readdir(join(root, folder), { withFileTypes: true }))) ?? [];
  // A folder sorts as its name with the slash, so that the keys come in the order S3 gives them.
  const named = entries
    .filter(({ name }) => !name.startsWith('.'))
    .map((entry) => ({ name: entry.isDirectory() ? `${entry.name}/` : entry.name, entry }))
    .sort((left, right) => (left.name < right.name ? -1 : 1));
  for (const { name, entry } of named) {
    const key = `${folder}${name}`;
    if (entry.isDirectory()) {
      if (key.startsWith(prefix) || prefix.startsWith(key)) yield* walk(root, key, prefix);
    } else if (key.startsWith(prefix)) {
      const info = await unlessMissing(stat(join(root, key)));
      if (info) yield { key, size: info.size, modifiedAt: info.mtimeMs };
    }
  }
}

/** Removes what killed processes left half written; what is younger may still be in the hands of another process. */
async function removeLeftovers(folder: string): Promise<void> {
  const { mtimeMs: now } = await touch(join(folder, `now-${randomUUID()}`));
  for (const name of await readdir(folder)) {
    const file = join(folder, name);
    const info = await unlessMissing(stat(file));
    if (info && now - info.mtimeMs > LEFTOVER_MS) await rm(file, { force: true });
  }
}

/** The file system's own clock, which is what the ages of its files are measured by. */
async function touch(file: string): Promise<{ mtimeMs: number }> {
  const handle = await open(file, 'wx', 0o600);
  try {
    return await handle.stat();
  } finally {
    await handle.close();
    await rm(file, { force: true });
  }
}

async function isFile(file: string): Promise<boolean> {
  return (await unlessMissing(stat(file)))?.isFile() ?? false;
}

async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/** Undefined when the file or one of its folders does not exist. */
async function unlessMissing<T>(reading: Promise<T>): Promise<T | undefined> {
  try {
    return await reading;
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT' || code === 'ENOTDIR') return undefined;
    throw error;
  }
}
