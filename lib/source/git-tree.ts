import { GitError } from '../git/errors.ts';
import { type GitRunner, readObjects, readWhole, type TreeEntry } from '../git/objects.ts';
import { createTarWriter, type Tar, type TreeFile } from '../tar.ts';
import { createIgnore, IGNORE_FILE, type IgnoreFile } from './ignore.ts';

/** Bounds of an artifact. */
export interface ArtifactLimits {
  /** Files in the tree. */
  maxFiles: number;
  /** Of all files together, in bytes. */
  maxBytes: number;
}

/** The regular files among a tree's entries: like the Toolkit's, our artifacts hold no links. */
export function filesOf(entries: readonly TreeEntry[]): TreeEntry[] {
  return entries.filter(({ kind }) => kind === 'file' || kind === 'executable');
}

/** Drops what `.sourceignore` files and `spec.ignore` leave out. */
export async function selectFiles(
  session: GitRunner,
  gitDir: string,
  files: readonly TreeEntry[],
  specIgnore: string | undefined,
): Promise<TreeEntry[]> {
  const rules = files.filter(({ path }) => isIgnoreFile(path));
  const ids = rules.map(({ id }) => id);
  const texts = await readWhole(session, gitDir, ids);
  const ignoreFiles = rules.map(({ path }, index) => asIgnoreFile(path, texts[index] ?? Buffer.alloc(0)));
  const isIgnored = createIgnore(ignoreFiles, specIgnore);
  return files.filter(({ path }) => !isIgnored(path));
}

/** The same for files that have been read already. */
export function selectRead(files: readonly TreeFile[], specIgnore: string | undefined): TreeFile[] {
  const rules = files.filter(({ path }) => isIgnoreFile(path));
  const isIgnored = createIgnore(
    rules.map(({ path, data }) => asIgnoreFile(path, data)),
    specIgnore,
  );
  return files.filter(({ path }) => !isIgnored(path));
}

/**
 * Reads files out of a repository straight into an archive.
 * @param also a small object that is read along, such as the commit
 * @throws {GitError} `too-big`
 */
export async function archiveFiles(
  session: GitRunner,
  gitDir: string,
  files: readonly TreeEntry[],
  limits: ArtifactLimits,
  also: string,
): Promise<{ tar: Tar; also: Buffer }> {
  checkLimits(files, limits);
  const sorted = files.toSorted((a, b) => (a.path < b.path ? -1 : 1));
  const writer = createTarWriter(
    sorted.map(({ path, size, kind }) => ({ path, size, executable: kind === 'executable' })),
  );
  const chunks: Buffer[] = [];
  await readObjects(session, gitDir, [...sorted.map(({ id }) => id), also], {
    begin() {},
    write(index, chunk) {
      if (index < sorted.length) writer.write(index, chunk);
      else chunks.push(Buffer.from(chunk));
    },
  });
  return { tar: writer.finish(), also: Buffer.concat(chunks) };
}

/** Reads files out of a repository into memory, below a directory of the artifact. @throws {GitError} `too-big` */
export async function readFiles(
  session: GitRunner,
  gitDir: string,
  files: readonly TreeEntry[],
  limits: ArtifactLimits,
  below = '',
): Promise<TreeFile[]> {
  checkLimits(files, limits);
  const read = files.map(({ path, size, kind }) => ({
    path: below === '' ? path : `${below}/${path}`,
    data: Buffer.alloc(size),
    executable: kind === 'executable',
  }));
  const filled = files.map(() => 0);
  const ids = files.map(({ id }) => id);
  await readObjects(session, gitDir, ids, {
    begin() {},
    write(index, chunk) {
      read[index]?.data.set(chunk, filled[index]);
      filled[index] = (filled[index] ?? 0) + chunk.length;
    },
  });
  return read;
}

/** @throws {GitError} `too-big` */
export function checkLimits(files: readonly { size: number }[], limits: ArtifactLimits): void {
  if (files.length > limits.maxFiles) throw tooBig(`${files.length} files`, `${limits.maxFiles}`);
  const total = files.reduce((sum, { size }) => sum + Math.max(0, size), 0);
  if (total > limits.maxBytes) throw tooBig(mebibytes(total), mebibytes(limits.maxBytes));
}

function mebibytes(bytes: number): string {
  return `${(bytes / 1024 / 1024).toFixed(1)} MiB`;
}

function isIgnoreFile(path: string): boolean {
  return path === IGNORE_FILE || path.endsWith(`/${IGNORE_FILE}`);
}

function asIgnoreFile(path: string, data: Uint8Array): IgnoreFile {
  const directory = path === IGNORE_FILE ? '' : path.slice(0, -IGNORE_FILE.length - 1);
  return { directory, text: Buffer.from(data.buffer, data.byteOffset, data.byteLength).toString('utf8') };
}

function tooBig(found: string, limit: string): GitError {
  return new GitError(
    'too-big',
    `the tree has ${found}, over the limit of ${limit}; leave files out with spec.ignore or spec.sparseCheckout, or raise the limit in slipway.yaml`,
  );
}
