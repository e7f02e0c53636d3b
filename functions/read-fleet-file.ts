import { readFile } from 'node:fs/promises';

/**
 * The text of a fleet file.
 * @param path absolute
 * @throws Error saying how to make one where there is none; the error of reading it
 */
export async function readFleetFile(path: string): Promise<string> {
  return readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'ENOENT') throw error;
    throw new Error(`there is no fleet file ${path}; make one with "slipway init", or name it with --config`);
  });
}
