import { spawnSync } from 'node:child_process';
import { existsSync, statfsSync, statSync } from 'node:fs';
import { availableParallelism, totalmem } from 'node:os';
import { dirname } from 'node:path';
import process from 'node:process';
import { cacheDirectory } from './location.ts';

/** Go that Gitea's go.mod asks for. */
const neededGo = [1, 26, 2] as const;

const GiB = 1024 ** 3;
/** What the caches grow by, measured with empty ones: compiled packages, modules, programs. */
const neededDisk = { GOCACHE: 4.5 * GiB, GOMODCACHE: 2.2 * GiB, programs: 0.5 * GiB };
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
  const go = spawnSync('go', ['env', '-json', 'GOCACHE', 'GOMODCACHE'], { encoding: 'utf8', env });
  // Without Go there is something else to say first.
  if (go.error || go.status !== 0) return undefined;
  const caches = JSON.parse(go.stdout) as { GOCACHE: string; GOMODCACHE: string };
  const folders = { ...caches, programs: cacheDirectory(env) };
  const needs = new Map<number, { folder: string; bytes: number }>();
  for (const name of ['GOCACHE', 'GOMODCACHE', 'programs'] as const) {
    const folder = existing(folders[name]);
    const { dev } = statSync(folder);
    needs.set(dev, { folder, bytes: (needs.get(dev)?.bytes ?? 0) + neededDisk[name] });
  }
  for (const { folder, bytes } of needs.values()) {
    const { bavail, bsize } = statfsSync(folder);
    const free = bavail * bsize;
    if (free < bytes)
      return `Disk: ${gib(free)} are free in ${folder}; a first build needs ${gib(bytes)} there.`;
  }
  return undefined;
}

/** The folder, or the nearest one above it that is there. */
function existing(folder: string): string {
  let nearest = folder;
  while (!existsSync(nearest)) nearest = dirname(nearest);
  return nearest;
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
