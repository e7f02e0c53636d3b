/** Builds the engine once and keeps it outside the checkout: `npm run build:engine`. */
import { spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import process from 'node:process';
import { setTimeout as sleep } from 'node:timers/promises';
import { engineFlags, enginePath, engineSource } from './location.ts';

/** What a first build takes with an empty Go cache on two cores, in seconds. */
const ESTIMATE = 60;

async function main(): Promise<void> {
  const target = enginePath();
  if (existsSync(target)) return say(`engine: ${target}`);
  preflight();
  mkdirSync(dirname(target), { recursive: true });
  const release = await lock(join(dirname(target), 'lock'), target);
  try {
    if (!existsSync(target)) await build(target);
  } finally {
    release();
  }
  say(`engine: ${target}`);
}

function say(text: string): void {
  process.stdout.write(`${text}\n`);
}

/** Says what is missing before anything is done. */
function preflight(): void {
  const go = spawnSync('go', ['version'], { encoding: 'utf8' });
  const needed = /^go (\d+\.\d+)/m.exec(readFileSync(join(engineSource, 'go.mod'), 'utf8'))?.[1] ?? '';
  if (go.error || go.status !== 0) {
    throw new Error(
      `Slipway's engine is built with Go ${needed} or newer, and there is no "go" on the PATH.\n` +
        'Install it from https://go.dev/dl/, or set SLIPWAY_ENGINE to an engine built elsewhere.',
    );
  }
}

/**
 * Lets one build run at a time. A lock whose process is gone is taken over.
 * @returns releases the lock
 */
async function lock(file: string, target: string): Promise<() => void> {
  for (let waited = false; ; waited = true) {
    try {
      writeFileSync(file, String(process.pid), { flag: 'wx' });
      return () => rmSync(file, { force: true });
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    }
    if (existsSync(target)) return () => {};
    const holder = holderOf(file);
    if (holder !== undefined && !isAlive(holder)) rmSync(file, { force: true });
    else {
      if (!waited) say(`engine: waiting for another build (process ${holder})`);
      await sleep(500);
    }
  }
}

/** The process that holds a lock; undefined while the file is being written or when it is gone. */
function holderOf(file: string): number | undefined {
  try {
    return Number(readFileSync(file, 'utf8')) || undefined;
  } catch {
    return undefined;
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

/** Compiles next to the target and renames, so that a half-written program is never found. */
async function build(target: string): Promise<void> {
  const started = Date.now();
  say(`engine: building (about ${ESTIMATE} s the first time)`);
  const progress = setInterval(() => {
    say(`engine: ${Math.round((Date.now() - started) / 1000)} s of about ${ESTIMATE} s`);
  }, 10_000);
  const scratch = `${target}.${process.pid}`;
  try {
    await compile(scratch);
    renameSync(scratch, target);
  } finally {
    clearInterval(progress);
    rmSync(scratch, { force: true });
  }
}

function compile(output: string): Promise<void> {
  const args = ['build', ...engineFlags, '-o', output, '.'];
  const child = spawn('go', args, {
    cwd: engineSource,
    env: { ...process.env, CGO_ENABLED: '0' },
    stdio: ['ignore', 'inherit', 'inherit'],
  });
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (code) => {
      if (code === 0) resolve();
      else reject(new Error(`go ${args.join(' ')} in ${engineSource} ended with code ${code}`));
    });
  });
}

try {
  await main();
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : error}\n`);
  process.exitCode = 1;
}
