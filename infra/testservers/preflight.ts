import { spawnSync } from 'node:child_process';
import { existsSync, statfsSync } from 'node:fs';
import { availableParallelism, totalmem } from 'node:os';
import { dirname } from 'node:path';
import process from 'node:process';
import { cacheDirectory } from './location.ts';

/** Go that Gitea's go.mod asks for. */
const neededGo = [1, 26, 2] as const;

const GiB = 1024 ** 3;
/** Measured with empty caches: 2 GiB of modules, 4.1 GiB of compiled packages, 0.3 GiB of programs. */
const neededDisk = 7 * GiB;
/** The linker of the control plane needs 2.2 GiB. */
const neededMemory = 3 * GiB;

/**
 * What is missing on this machine for building the test servers, each as a sentence that says what to do.
 * Empty: nothing is missing.
 */
export function missingForBuild(env = process.env): string[] {
  return [goProblem(env), compilerProblem(env), gitProblem(env), diskProblem(env), memoryProblem()].filter(
    (problem) => problem !== undefined,
  );
}

/** What is missing for running the test servers. */
export function missingForRun(env = process.env): string[] {
  const memory = availableMemory();
  const tight =
    memory < 2 * GiB
      ? `Memory: ${gib(memory)} are free; two API servers, Gitea and Slipway need 2 GiB.`
      : undefined;
  return [gitProblem(env), tight].filter((problem) => problem !== undefined);
}

function goProblem(env: NodeJS.ProcessEnv): string | undefined {
  const wanted = neededGo.join('.');
  const go = spawnSync('go', ['env', 'GOVERSION', 'GOTOOLCHAIN'], { encoding: 'utf8', env });
  if (go.error || go.status !== 0)
    return `Go: not found. Install Go ${wanted} or newer from https://go.dev/dl/`;
  const [found = '', toolchain = ''] = go.stdout.trim().split('\n');
  const version = /^go(\d+)\.(\d+)(?:\.(\d+))?/
    .exec(found)
    ?.slice(1)
    .map((part) => Number(part ?? 0));
  if (!version || !isOlder(version, neededGo)) return undefined;
  // From 1.21 on, Go fetches the version that a module asks for, unless it is told not to.
  if (!isOlder(version, [1, 21, 0]) && toolchain.startsWith('auto')) return undefined;
  return `Go: ${found.slice(2)} is too old. Install ${wanted} or newer from https://go.dev/dl/, or set GOTOOLCHAIN=auto.`;
}

function isOlder(version: readonly number[], than: readonly number[]): boolean {
  for (const [index, part] of than.entries()) {
    const own = version[index] ?? 0;
    if (own !== part) return own < part;
  }
  return false;
}

function compilerProblem(env: NodeJS.ProcessEnv): string | undefined {
  const candidates = env.CC ? [env.CC] : ['gcc', 'clang', 'cc'];
  const found = candidates.some(
    (one) => spawnSync(one.split(' ')[0] ?? '', ['--version'], { env }).status === 0,
  );
  if (found) return undefined;
  return `C compiler: ${candidates.join(', ')} not found. Install one (Debian: apt install gcc libc6-dev; macOS: xcode-select --install).`;
}

function gitProblem(env: NodeJS.ProcessEnv): string | undefined {
  if (spawnSync('git', ['--version'], { env }).status === 0) return undefined;
  return 'Git: not found. Install git.';
}

function diskProblem(env: NodeJS.ProcessEnv): string | undefined {
  let folder = cacheDirectory(env);
  while (!existsSync(folder)) folder = dirname(folder);
  const { bavail, bsize } = statfsSync(folder);
  const free = bavail * bsize;
  if (free >= neededDisk) return undefined;
  return `Disk: ${gib(free)} are free in ${folder}; a first build needs ${gib(neededDisk)}.`;
}

function memoryProblem(): string | undefined {
  const free = availableMemory();
  if (free >= neededMemory) return undefined;
  return `Memory: ${gib(free)} are free; the build needs ${gib(neededMemory)}.`;
}

/** Bytes that programs can still get, within the limit of a container. */
function availableMemory(): number {
  // macOS counts only untouched memory as free, which says nothing.
  return process.platform === 'linux' ? process.availableMemory() : totalmem();
}

function gib(bytes: number): string {
  return `${(bytes / GiB).toFixed(1)} GiB`;
}

/** Seconds that work of `cpuSeconds` takes on this machine, roughly. */
export function estimateSeconds(cpuSeconds: number): number {
  return Math.round(cpuSeconds / Math.min(availableParallelism(), 8)) + 30;
}
