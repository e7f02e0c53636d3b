import { readFileSync } from 'node:fs';

/**
 * The text of a fleet file.
 * @param path absolute
 * @throws Error saying how to make one where there is none; the error of reading it
 */
export async function readFleetFile(path: string): Promise<string> {
  try {
    // Once, and it is short: a function would load `node:fs/promises` for it alone at its cold start.
    return readFileSync(path, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    throw new Error(`there is no fleet file ${path}; make one with "slipway init", or name it with --config`);
  }
}
