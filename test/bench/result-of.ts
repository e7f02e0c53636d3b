import { execFile } from 'node:child_process';
import process from 'node:process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

/**
 * What a program beside this one prints, so that what is measured does not share its thread with what measures.
 * @param program a file of this folder, which gets `input` as JSON
 * @param nodeOptions what it is started with, where it is Slipway that runs in it
 */
export async function resultOf<T>(
  program: string,
  input: unknown,
  nodeOptions: readonly string[] = [],
): Promise<T> {
  const path = fileURLToPath(new URL(`./${program}`, import.meta.url));
  const { stdout } = await promisify(execFile)(process.execPath, [
    ...nodeOptions,
    path,
    JSON.stringify(input),
  ]);
  return JSON.parse(stdout) as T;
}
