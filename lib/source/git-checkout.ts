import { GitError } from '../git/errors.ts';
import { fetchCommit, fetchObjects } from '../git/fetch.ts';
import { listTree, missingObjects, sizesOf, type TreeEntry } from '../git/objects.ts';
import type { GitSession } from '../git/session.ts';
import type { ArtifactLimits } from './git-tree.ts';

/** Bounds of a fetch. */
export interface GitLimits extends ArtifactLimits {
  /** Of what one repository brings onto the disk, in bytes. */
  maxRepositoryBytes: number;
}

/** What to check out. */
export interface CheckoutRequest {
  gitDir: string;
  commit: string;
  ref: string | undefined;
  /** Also bring this tag's object. */
  tag?: string | undefined;
  /** `spec.sparseCheckout`: only these directories; undefined: everything. */
  directories: readonly string[] | undefined;
  limits: GitLimits;
}

/** Brings a commit into a repository and lists its files; all that are listed can then be read. */
export async function checkOut(session: GitSession, request: CheckoutRequest): Promise<TreeEntry[]> {
  const { gitDir, commit, limits } = request;
  const directories = request.directories && normaliseDirectories(request.directories);
  const withoutBlobs = directories !== undefined;
  const { ref, tag } = request;
  await fetchCommit(session, { gitDir, commit, ref, tag, withoutBlobs, maxBytes: limits.maxRepositoryBytes });
  const entries = await listTree(session, {
    gitDir,
    commit,
    sizes: !withoutBlobs,
    maxFiles: limits.maxFiles,
  });
  if (directories === undefined) return entries;

  for (const directory of directories) {
    if (!entries.some(({ path }) => isIn(path, directory))) {
      throw new GitError(
        'refused',
        `spec.sparseCheckout names ${JSON.stringify(directory)}, which ${commit} does not have`,
      );
    }
  }
  const wanted = entries.filter(({ path }) => directories.some((directory) => isIn(path, directory)));
  const files = wanted.filter(({ kind }) => kind === 'file' || kind === 'executable');
  const missing = await missingObjects(session, gitDir, commit);
  const ids = [...new Set(files.map(({ id }) => id))];
  await fetchObjects(
    session,
    { gitDir, maxBytes: limits.maxRepositoryBytes },
    ids.filter((id) => missing.has(id)),
  );
  const sizes = new Map(zip(ids, await sizesOf(session, gitDir, ids)));
  return wanted.map((entry) => ({ ...entry, size: sizes.get(entry.id) ?? -1 }));
}

/** `./apps/` and `apps` are the same; the root is the empty string. @throws {GitError} `refused` for a path that leads out */
export function normaliseDirectories(directories: readonly string[]): string[] {
  return directories.map((directory) => {
    const parts = directory.split('/').filter((part) => part !== '' && part !== '.');
    if (!parts.includes('..')) return parts.join('/');
    throw new GitError(
      'refused',
      `spec.sparseCheckout names ${JSON.stringify(directory)}, which leads out of the repository`,
    );
  });
}

function isIn(path: string, directory: string): boolean {
  return directory === '' || path === directory || path.startsWith(`${directory}/`);
}

function* zip<A, B>(left: readonly A[], right: readonly B[]): Generator<[A, B]> {
  for (const [index, value] of left.entries()) yield [value, right[index] as B];
}
