import { rename } from 'node:fs/promises';

/** More others than these do not come in between. */
const ATTEMPTS = 100;

/**
 * Puts a directory in the place of another. Whoever looks sees the old one whole, or none for a moment, or the new one whole; of several at
 * once the last one stays.
 * @param target where it is to be
 * @param made the new one, on the same file system
 * @param aside a place that is free, for the old one
 */
export async function replaceDirectory(target: string, made: string, aside: string): Promise<void> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      await rename(target, `${aside}-${attempt}`);
    } catch (error) {
      if (codeOf(error) !== 'ENOENT') throw error;
    }
    try {
      await rename(made, target);
      return;
    } catch (error) {
      // Somebody else was faster: theirs has to go as well. https://man7.org/linux/man-pages/man2/rename.2.html
      if (!['ENOTEMPTY', 'EEXIST'].includes(codeOf(error) ?? '') || attempt === ATTEMPTS) throw error;
    }
  }
}

function codeOf(error: unknown): string | undefined {
  return (error as NodeJS.ErrnoException).code;
}
