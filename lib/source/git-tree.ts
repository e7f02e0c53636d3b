import { GitError } from '../git/errors.ts';
import { readObjects, readWhole, type TreeEntry } from '../git/objects.ts';
import type { GitSession } from '../git/session.ts';
import type { Tar } from '../tar.ts';
import { createTarWriter } from '../tar.ts';
import { createIgnore, IGNORE_FILE, type IgnoreFile } from './ignore.ts';

/** Bounds of an artifact. */
export interface ArtifactLimits {
  /** Files in the tree. */
  maxFiles: number;
  /** Of all files together, in bytes. */
  maxBytes: number;
}

/**
 * Drops what `.sourceignore` files and `spec.ignore` leave out, and everything that is no file: like the Toolkit's, our
 * artifacts hold no links.
 */
export async function selectFiles(
  session: GitSession,
  gitDir: string,
  entries: readonly TreeEntry[],
  specIgnore: string | undefined,
): Promise<TreeEntry[]> {
  const files = entries.filter(({ kind }) => kind === 'file' || kind === 'executable');
  const rules = files.filter(({ path }) => path === IGNORE_FILE || path.endsWith(`/${IGNORE_FILE}`));
  const texts = await readWhole(
    session,
    gitDir,
    rules.map(({ id }) => id),
  );
  const ignoreFiles: IgnoreFile[] = rules.map(({ path }, index) => ({
    directory: path === IGNORE_FILE ? '' : path.slice(0, -IGNORE_FILE.length - 1),
    text: texts[index]?.toString('utf8') ?? '',
  }));
  const isIgnored = createIgnore(ignoreFiles, specIgnore);
  return files.filter(({ path }) => !isIgnored(path));
}

/** Reads files out of a repository straight into an archive. @throws {GitError} `too-big` */
export async function archiveFiles(
  session: GitSession,
  gitDir: string,
  files: readonly TreeEntry[],
  limits: ArtifactLimits,
): Promise<Tar> {
  if (files.length > limits.maxFiles) throw tooBig(`${files.length} files`, `${limits.maxFiles} files`);
  const total = files.reduce((sum, { size }) => sum + size, 0);
  if (total > limits.maxBytes) throw tooBig(`${total} bytes`, `${limits.maxBytes} bytes`);
  const sorted = files.toSorted((a, b) => (a.path < b.path ? -1 : 1));
  const writer = createTarWriter(
    sorted.map(({ path, size, kind }) => ({ path, size, executable: kind === 'executable' })),
  );
  await readObjects(
    session,
    gitDir,
    sorted.map(({ id }) => id),
    { begin() {}, write: writer.write },
  );
  return writer.finish();
}

function tooBig(found: string, limit: string): GitError {
  return new GitError(
    'too-big',
    `the tree has ${found}, more than the limit of ${limit}; leave files out with spec.ignore or spec.sparseCheckout, or raise the limit in slipway.yaml`,
  );
}
