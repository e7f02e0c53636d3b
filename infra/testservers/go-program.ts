import { type ChildProcess, spawn } from 'node:child_process';
import { createWriteStream, type WriteStream } from 'node:fs';
import process from 'node:process';
import { createInterface } from 'node:readline';
import type { Progress } from './progress.ts';

/** A Go program to compile. */
export interface GoProgram {
  /** Folder of its module. */
  source: string;
  /** File to write. */
  output: string;
  /** Arguments of `go build` (and of `go list`, where they are tags). */
  tags: string;
  ldflags: string;
  /** Added to the environment. */
  env: NodeJS.ProcessEnv;
  /** File that receives what Go prints. */
  logFile: string;
}

const numbers = new Intl.NumberFormat('en');

/** Compiles a program; throws with the end of Go's own output when that fails. */
export async function buildGoProgram(program: GoProgram, progress: Progress): Promise<void> {
  const log = createWriteStream(program.logFile, { flags: 'a' });
  try {
    const tags = program.tags ? ['-tags', program.tags] : [];
    let modules = 0;
    progress.update('downloading modules');
    const packages = await runGo(
      program.source,
      ['list', '-mod=readonly', ...tags, '-deps', '.'],
      program.env,
      log,
      () => {
        progress.update(`downloading modules (${numbers.format(++modules)})`);
      },
    );
    const total = packages.trim().split('\n').length;
    let compiled = 0;
    progress.update('compiling');
    const args = ['build', '-v', '-mod=readonly', '-trimpath', '-buildvcs=false', ...tags];
    args.push('-ldflags', program.ldflags, '-o', program.output, '.');
    await runGo(program.source, args, program.env, log, () => {
      compiled++;
      const doing = `compiling, ${numbers.format(compiled)} of ${numbers.format(total)} packages`;
      progress.update(doing, Math.min(0.95, compiled / total));
    });
  } finally {
    log.end();
  }
}

const running = new Set<ChildProcess>();
process.on('exit', () => {
  for (const child of running) child.kill();
});

/**
 * Runs Go and answers its standard output.
 * @param onLine called for each line of its standard error
 */
export function runGo(
  cwd: string,
  args: string[],
  env: NodeJS.ProcessEnv,
  log: WriteStream,
  onLine: (line: string) => void = () => {},
): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = spawn('go', args, {
      cwd,
      env: { ...process.env, GOWORK: 'off', ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    running.add(child);
    let output = '';
    const last: string[] = [];
    child.stdout.setEncoding('utf8').on('data', (part: string) => {
      output += part;
    });
    createInterface(child.stderr).on('line', (line) => {
      log.write(`${line}\n`);
      last.push(line);
      if (last.length > 20) last.shift();
      onLine(line);
    });
    child.on('error', reject);
    child.on('close', (code) => {
      running.delete(child);
      if (code === 0) resolve(output);
      else
        reject(
          new Error(
            `"go ${args[0]}" failed in ${cwd}:\n${last.join('\n')}\nAll of its output: ${String(log.path)}`,
          ),
        );
    });
  });
}
