import { execFile } from 'node:child_process';
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import process from 'node:process';

/** What a user starts. */
export const SLIPWAY = join(import.meta.dirname, '..', '..', 'bin', 'slipway');

/** How a run of the command line ended. */
export interface CliResult {
  code: number;
  stdout: string;
  stderr: string;
}

/** Runs `slipway` as a process of its own. */
export function runCli(
  args: readonly string[],
  options: { cwd: string; env?: Record<string, string> },
): Promise<CliResult> {
  const env = { ...process.env, NO_COLOR: '1', ...options.env };
  return new Promise((resolve) => {
    execFile(SLIPWAY, args, { cwd: options.cwd, env, maxBuffer: 1 << 26 }, (error, stdout, stderr) =>
      resolve({ code: error ? (typeof error.code === 'number' ? error.code : -1) : 0, stdout, stderr }),
    );
  });
}

/** Writes files below a directory; null removes one. */
export async function writeFiles(
  directory: string,
  files: Readonly<Record<string, string | null>>,
): Promise<void> {
  for (const [path, text] of Object.entries(files)) {
    const target = join(directory, path);
    if (text === null) await rm(target);
    else {
      await mkdir(dirname(target), { recursive: true });
      await writeFile(target, text);
    }
  }
}
