import { readdir, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';

/** Longer than any Git operation may take, in ms. */
const OLD = 6 * 3_600_000;

/**
 * Removes what processes that were killed have left in a directory for temporary files. Secrets are not among it where `/proc`
 * exists, but elsewhere they may be.
 * @param now epoch in ms
 */
export async function removeLeftovers(directory: string, now: number): Promise<void> {
  const names = await readdir(directory).catch(() => []);
  for (const name of names.filter((entry) => /^slipway-(git|gpg|private)-/.test(entry))) {
    const path = join(directory, name);
    const age = await stat(path).then(
      ({ mtimeMs }) => now - mtimeMs,
      () => 0,
    );
    if (age > OLD) await rm(path, { recursive: true, force: true });
  }
}
