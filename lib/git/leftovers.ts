import { readdir, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';

/** Longer than any Git operation may take, in ms. */
const OLD = 6 * 3_600_000;

/** Where there is one, a directory in memory: keys then never reach a disk, and the path is short enough for gpg's socket. */
export const MEMORY = '/dev/shm';

/**
 * Removes what processes that were killed have left in a directory for temporary files, and in memory. Secrets are not among it where `/proc`
 * exists, but elsewhere they may be.
 * @param now epoch in ms
 */
export async function removeLeftovers(directory: string, now: number): Promise<void> {
  for (const place of [directory, MEMORY]) {
    const names = await readdir(place).catch(() => []);
    for (const name of names.filter((entry) => /^slipway-(git|gpg|private)-/.test(entry))) {
      const path = join(place, name);
      const age = await stat(path).then(
        ({ mtimeMs }) => now - mtimeMs,
        () => 0,
      );
      // In a place that all share, what is somebody else's cannot be removed.
      if (age > OLD) await rm(path, { recursive: true, force: true }).catch(() => undefined);
    }
  }
}
