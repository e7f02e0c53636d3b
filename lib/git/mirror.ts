import { mkdir, readdir, rename, rm, stat, utimes } from 'node:fs/promises';
import { join } from 'node:path';
import { sha256 } from '../core/digest.ts';
import { GitError } from './errors.ts';
import type { GitSession } from './session.ts';

/** Bounds of {@link createMirrors}. */
export interface MirrorLimits {
  /** A mirror that has grown larger, in bytes, is begun anew. */
  maxBytes: number;
  /** So is one after so many fetches, which is cheaper than repacking it. Default: 48. */
  maxPacks?: number;
  /** Mirrors kept on disk; the one unused for longest goes first. Default: 64. */
  maxMirrors?: number;
}

/**
 * Bare repositories on disk, one per URL and credential, so that a push costs one small fetch. They are caches: any doubt, and
 * they are thrown away. One process owns the directory.
 */
export interface Mirrors {
  /**
   * Works in the mirror of `key`, alone. When the work fails because the mirror is damaged, it is thrown away and the work done
   * once more in an empty one.
   * @param key all that makes two fetches differ: URL, identity, filter, hash algorithm
   */
  use<T>(
    session: GitSession,
    key: readonly string[],
    objectFormat: 'sha1' | 'sha256',
    work: (gitDir: string) => Promise<T>,
  ): Promise<T>;
}

/** @param directory is created when absent */
export function createMirrors(directory: string, limits: MirrorLimits): Mirrors {
  const { maxBytes, maxPacks = 48, maxMirrors = 64 } = limits;
  const queues = new Map<string, Promise<unknown>>();

  /** One after the other per mirror. */
  function alone<T>(name: string, work: () => Promise<T>): Promise<T> {
    const before = queues.get(name) ?? Promise.resolve();
    const mine = before.then(work, work);
    const settled = mine.catch(() => {});
    queues.set(name, settled);
    void settled.then(() => {
      if (queues.get(name) === settled) queues.delete(name);
    });
    return mine;
  }

  async function use<T>(
    session: GitSession,
    key: readonly string[],
    objectFormat: 'sha1' | 'sha256',
    work: (gitDir: string) => Promise<T>,
  ): Promise<T> {
    const name = sha256(JSON.stringify([...key, objectFormat])).slice(
      'sha256:'.length,
      'sha256:'.length + 40,
    );
    const gitDir = join(directory, `${name}.git`);
    return alone(name, async () => {
      const fresh = await open(session, gitDir, objectFormat);
      try {
        return await work(gitDir);
      } catch (error) {
        if (fresh || !(error instanceof GitError) || !isDamage(error)) throw error;
        await discard(gitDir);
        await open(session, gitDir, objectFormat);
        return await work(gitDir);
      }
    });
  }

  /** @returns whether it was made just now */
  async function open(
    session: GitSession,
    gitDir: string,
    objectFormat: 'sha1' | 'sha256',
  ): Promise<boolean> {
    const packs = await readPacks(gitDir);
    if (packs !== undefined && packs.count < maxPacks && packs.bytes <= maxBytes) {
      const now = new Date();
      await utimes(gitDir, now, now).catch(() => {});
      return false;
    }
    await discard(gitDir);
    await makeRoom(gitDir);
    await session.git(
      ['init', '--quiet', '--bare', '--template=', `--object-format=${objectFormat}`, gitDir],
      {
        what: 'make a repository',
      },
    );
    return true;
  }

  async function makeRoom(except: string): Promise<void> {
    await mkdir(directory, { recursive: true, mode: 0o700 });
    const names = (await readdir(directory)).filter(
      (name) => name.endsWith('.git') && !queues.has(name.slice(0, -4)),
    );
    if (names.length < maxMirrors) return;
    const ages = await Promise.all(
      names.map(async (name) => ({
        path: join(directory, name),
        used: await lastUse(join(directory, name)),
      })),
    );
    ages.sort((a, b) => a.used - b.used);
    const surplus = ages.slice(0, names.length - maxMirrors + 1).filter(({ path }) => path !== except);
    await Promise.all(surplus.map(({ path }) => discard(path)));
  }

  return { use };
}

/** Out of the way first, so that a crash in between leaves no half of it under its name. */
async function discard(gitDir: string): Promise<void> {
  const trash = `${gitDir}.old`;
  await rm(trash, { recursive: true, force: true });
  await rename(gitDir, trash).catch(() => {});
  await rm(trash, { recursive: true, force: true });
}

/** @returns undefined when there is no repository */
async function readPacks(gitDir: string): Promise<{ count: number; bytes: number } | undefined> {
  const directory = join(gitDir, 'objects', 'pack');
  const names = await readdir(directory).catch(() => undefined);
  if (names === undefined) return undefined;
  const sizes = await Promise.all(
    names.map((name) =>
      stat(join(directory, name)).then(
        ({ size }) => size,
        () => 0,
      ),
    ),
  );
  return {
    count: names.filter((name) => name.endsWith('.pack')).length,
    bytes: sizes.reduce((sum, size) => sum + size, 0),
  };
}

async function lastUse(path: string): Promise<number> {
  return stat(path).then(
    ({ mtimeMs }) => mtimeMs,
    () => 0,
  );
}

function isDamage(error: GitError): boolean {
  return error.fault === 'corrupt' || error.fault === 'other';
}
