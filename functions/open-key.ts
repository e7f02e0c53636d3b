import { randomBytes } from 'node:crypto';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
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
  await mkdir(directory, { recursive: true, mode: 0o700 });
  try {
    // `wx` never writes over a key that is there.
    await writeFile(path, `${randomBytes(32).toString('base64')}\n`, { flag: 'wx', mode: 0o600 });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  }
  return (await readFile(path, 'utf8')).trim();
}
