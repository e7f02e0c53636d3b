import { lstat, readdir, readFile, realpath } from 'node:fs/promises';
import { join, relative, resolve } from 'node:path';
import { sha256 } from '../core/digest.ts';
import type { TreeIndex } from '../core/tree.ts';
import type { RunOptions, RunResult } from '../exec.ts';
import { type GitRunner, listTree } from '../git/objects.ts';
import { createTar, type TreeFile } from '../tar.ts';
import { type ArtifactLimits, checkLimits, filesOf, readFiles, selectRead } from './git-tree.ts';

/** `run` of `lib/exec.ts`. */
export type RunGit = (command: string, args: readonly string[], options?: RunOptions) => Promise<RunResult>;

/** A repository on this machine. */
export interface LocalRepository {
  /** Where paths start. */
  root: string;
  /** The root below the top of the Git work tree: empty, or such as `fleet/`. */
  prefix: string;
  /** Whether Git knows it. */
  git: boolean;
  /** The URLs of its remotes. */
  remotes: string[];
}

/** The tree of a local repository as an artifact would hold it. */
export interface LocalTree {
  files: readonly TreeFile[];
  archive: Uint8Array;
  index: TreeIndex;
  /** `sha256:` of the archive. */
  digest: string;
}

/** Files that Git ignores are no part of a commit; settings of the repository must not start programs. */
const SAFE = ['-c', 'core.fsmonitor=false', '-c', 'safe.directory=*', '-c', 'core.quotePath=false'];
const READERS = 32;

/**
 * Opens the repository that a directory is in.
 * @param directory the root of the repository, as somebody named it; undefined: the one around `cwd`
 * @throws Error when it is not a directory
 */
export async function openLocalRepository(
  run: RunGit,
  directory: string | undefined,
  cwd: string,
): Promise<LocalRepository> {
  const given = await realpath(resolve(cwd, directory ?? '.')).catch(() => '');
  if (!(await isDirectory(given))) throw new Error(`${directory ?? cwd} is not a directory`);
  const top = await tryGit(run, given, ['rev-parse', '--show-toplevel']);
  if (top === undefined) return { root: given, prefix: '', git: false, remotes: [] };
  const urls = await tryGit(run, given, ['config', '--get-regexp', '^remote\\..*\\.url$']);
  const remotes = (urls ?? '').split('\n').flatMap((line) => line.split(' ').slice(1, 2));
  const root = top.replace(/\n$/, '');
  if (directory === undefined || given === root) return { root, prefix: '', git: true, remotes };
  return { root: given, prefix: `${relative(root, given)}/`, git: true, remotes };
}

/**
 * Reads the files as they are on disk: those that Git tracks, and new ones that it does not ignore. Links are left out, as in an
 * artifact.
 * @throws {GitError} `too-big`
 */
export async function readWorkingTree(
  run: RunGit,
  repository: LocalRepository,
  limits: ArtifactLimits,
): Promise<TreeFile[]> {
  const { root } = repository;
  const listed = repository.git
    ? await tryGit(run, root, ['ls-files', '-z', '--cached', '--others', '--exclude-standard'])
    : undefined;
  const paths =
    listed === undefined ? await walk(root, '') : [...new Set(listed.split('\0'))].filter(Boolean);
  const files: TreeFile[] = [];
  let next = 0;
  const read = async () => {
    for (;;) {
      const path = paths[next++];
      if (path === undefined) return;
      const found = await lstat(join(root, path)).catch(() => undefined);
      if (!found?.isFile()) continue;
      const data = await readFile(join(root, path));
      files.push({ path, data, executable: (found.mode & 0o100) !== 0 });
    }
  };
  await Promise.all(Array.from({ length: READERS }, read));
  checkLimits(
    files.map(({ data }) => ({ size: data.length })),
    limits,
  );
  return files.sort((a, b) => (a.path < b.path ? -1 : 1));
}

/**
 * Reads the files of a commit, whatever stands on disk.
 * @param commit anything that names one: a hash, a branch, `HEAD~1`
 * @returns the full hash and the files
 * @throws Error when the repository has no such commit
 */
export async function readCommit(
  run: RunGit,
  repository: LocalRepository,
  commit: string,
  limits: ArtifactLimits,
): Promise<{ commit: string; files: TreeFile[] }> {
  const { root } = repository;
  const hash = await tryGit(run, root, [
    'rev-parse',
    '--verify',
    '--quiet',
    '--end-of-options',
    `${commit}^{commit}`,
  ]);
  if (hash === undefined) throw new Error(`${root} has no commit ${commit}; fetch it first`);
  const session: GitRunner = {
    async git(args, call) {
      const { what, gitDir: _none, anyCode: _any, signal, env, ...options } = call;
      const result = await run('git', [...SAFE, ...args], {
        cwd: root,
        ...options,
        ...(signal ? { signal } : {}),
        ...(env ? { env } : {}),
      });
      if (result.code !== 0) throw new Error(`cannot ${what}: ${result.stderr.trim()}`);
      return result;
    },
  };
  const full = hash.trim();
  const entries = await listTree(session, {
    gitDir: root,
    commit: full,
    sizes: true,
    maxFiles: limits.maxFiles,
  });
  const { prefix } = repository;
  const wanted = filesOf(entries).filter(({ path }) => path.startsWith(prefix));
  const files = await readFiles(session, root, wanted, limits);
  return { commit: full, files: files.map((file) => ({ ...file, path: file.path.slice(prefix.length) })) };
}

/**
 * Makes the tree of files that have been read, without what `.sourceignore` files and `spec.ignore` leave out.
 * @param specIgnore `spec.ignore` of the GitRepository
 */
export function localTree(files: readonly TreeFile[], specIgnore?: string): LocalTree {
  const selected = selectRead(files, specIgnore);
  const { archive, index } = createTar(selected);
  return { files: selected, archive, index, digest: sha256(archive) };
}

async function tryGit(run: RunGit, cwd: string, args: readonly string[]): Promise<string | undefined> {
  try {
    const { stdout, code } = await run('git', [...SAFE, ...args], { cwd });
    return code === 0 ? Buffer.from(stdout).toString('utf8') : undefined;
  } catch {
    // Without Git the directory is read as it is.
    return undefined;
  }
}

async function walk(root: string, below: string): Promise<string[]> {
  const entries = await readdir(join(root, below), { withFileTypes: true });
  const found = await Promise.all(
    entries.map(async (entry) => {
      const path = below === '' ? entry.name : `${below}/${entry.name}`;
      if (entry.isDirectory()) return entry.name === '.git' ? [] : walk(root, path);
      return entry.isFile() ? [path] : [];
    }),
  );
  return found.flat();
}

async function isDirectory(path: string): Promise<boolean> {
  const found = await lstat(path).catch(() => undefined);
  return found?.isDirectory() === true;
}
