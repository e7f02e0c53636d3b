import { randomBytes } from 'node:crypto';
import { link, mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { OpenFleet } from './open-fleet.ts';

/**
 * The key of the installation: the one that the fleet file names, or else one of its own, made once and kept beside the index for the owner
 * of the directory alone.
 */
export async function openKey({ fleet, secret }: OpenFleet): Promise<string> {
  const { directory, key } = fleet.storage;
  if (key !== undefined) return secret(key);
  const path = join(directory, 'key');
  const present = await read(path);
  if (present !== undefined) return present;
  await mkdir(directory, { recursive: true, mode: 0o700 });
  const made = `${path}.${randomBytes(4).toString('hex')}`;
  await writeFile(made, `${randomBytes(32).toString('base64')}\n`, { flag: 'wx', mode: 0o600 });
  try {
    // Whole or not at all, and never over one that somebody else has made meanwhile.
    await link(made, path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  } finally {
    await rm(made, { force: true });
  }
  return (await read(path)) ?? '';
}

async function read(path: string): Promise<string | undefined> {
  try {
    return (await readFile(path, 'utf8')).trim();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    return undefined;
  }
}
