import { GitError } from './errors.ts';
import type { GitSession } from './session.ts';

/** What reading objects takes: a way to run Git in one repository. */
export type GitRunner = Pick<GitSession, 'git'>;

/** An entry of a tree. */
export interface TreeEntry {
  path: string;
  kind: 'file' | 'executable' | 'link' | 'submodule';
  id: string;
  /** In bytes; -1 when not asked for, and for submodules. */
  size: number;
}

const KINDS: Readonly<Record<string, TreeEntry['kind']>> = {
  '100644': 'file',
  '100664': 'file',
  '100755': 'executable',
  '120000': 'link',
  '160000': 'submodule',
};

/** The names of `ls-tree` for 500,000 files of ordinary length. */
const MAX_LISTING_BYTES = 128 * 1024 * 1024;

/**
 * All entries below a commit's root, without reading files.
 * @param options.sizes also look up each file's size; needs the files to be here
 * @throws {GitError} `refused` for names that could lead out of a directory, `too-big` for more than `maxFiles`
 */
export async function listTree(
  session: GitRunner,
  options: { gitDir: string; commit: string; sizes: boolean; maxFiles: number },
): Promise<TreeEntry[]> {
  const long = options.sizes ? ['--long'] : [];
  const { stdout } = await session.git(['ls-tree', '-r', '-z', '--full-tree', ...long, options.commit], {
    what: `list the files of ${options.commit}`,
    gitDir: options.gitDir,
    maxOutput: MAX_LISTING_BYTES,
  });
  return parseTree(stdout, options.maxFiles);
}

/** Reads the output of `git ls-tree -r -z [--long]`. */
export function parseTree(listing: Uint8Array, maxFiles: number): TreeEntry[] {
  const text = Buffer.from(listing.buffer, listing.byteOffset, listing.byteLength);
  const entries: TreeEntry[] = [];
  for (let start = 0; start < text.length; ) {
    const end = text.indexOf(0, start);
    const line = text.toString('utf8', start, end < 0 ? text.length : end);
    start = (end < 0 ? text.length : end) + 1;
    const tab = line.indexOf('\t');
    const [mode = '', , id = '', size = '-'] = line.slice(0, tab).split(/ +/);
    const kind = KINDS[mode];
    const path = line.slice(tab + 1);
    if (kind === undefined) throw new GitError('refused', `${path} has the unknown mode ${mode}`);
    checkPath(path);
    if (entries.length >= maxFiles) {
      throw new GitError(
        'too-big',
        `the tree has more than ${maxFiles} files; list the needed directories in spec.sparseCheckout, or raise the limit in slipway.yaml`,
      );
    }
    entries.push({ path, kind, id, size: size === '-' ? -1 : Number(size) });
  }
  return entries;
}

/** Git refuses such names when they come; this holds even if one got past it. */
function checkPath(path: string): void {
  const bad = path
    .split('/')
    .some((part) => part === '' || part === '.' || part === '..' || part.toLowerCase() === '.git');
  if (bad || path.includes('\0'))
    throw new GitError('refused', `the tree holds the forbidden name ${JSON.stringify(path)}`);
}

/**
 * Which objects below a commit have been left out by a filter.
 * Asking for them one by one would make Git fetch each on its own.
 */
export async function missingObjects(
  session: GitRunner,
  gitDir: string,
  commit: string,
): Promise<Set<string>> {
  const { stdout } = await session.git(['rev-list', '--objects', '--no-walk', '--missing=print', commit], {
    what: `look which files of ${commit} are here`,
    gitDir,
    maxOutput: MAX_LISTING_BYTES,
  });
  const lines = Buffer.from(stdout).toString('latin1').split('\n');
  return new Set(lines.filter((line) => line.startsWith('?')).map((line) => line.slice(1)));
}

/** The sizes of objects that are here, in bytes, in order. */
export async function sizesOf(session: GitRunner, gitDir: string, ids: readonly string[]): Promise<number[]> {
  if (ids.length === 0) return [];
  const { stdout } = await session.git(['cat-file', '--batch-check=%(objectsize)', '--buffer'], {
    what: 'look up the sizes of files',
    gitDir,
    stdin: `${ids.join('\n')}\n`,
  });
  const sizes = Buffer.from(stdout).toString('latin1').trim().split('\n').map(Number);
  if (sizes.length === ids.length && sizes.every(Number.isInteger)) return sizes;
  throw new GitError('corrupt', 'files that were just fetched are missing');
}

/** Receives one object: first its size, then its bytes in pieces. */
export interface ObjectSink {
  begin(index: number, size: number): void;
  write(index: number, chunk: Uint8Array): void;
}

/**
 * Reads many objects with one process, in order.
 * @param ids each must exist; the same may come twice
 */
export async function readObjects(
  session: GitRunner,
  gitDir: string,
  ids: readonly string[],
  sink: ObjectSink,
): Promise<void> {
  if (ids.length === 0) return;
  const parser = createBatchParser(ids, sink);
  await session.git(['cat-file', '--batch', '--buffer'], {
    what: 'read the files',
    gitDir,
    stdin: `${ids.join('\n')}\n`,
    maxOutput: Number.MAX_SAFE_INTEGER,
    onStdout: parser.push,
  });
  parser.end();
}

/** Reads few small objects as a whole. */
export async function readWhole(
  session: GitRunner,
  gitDir: string,
  ids: readonly string[],
): Promise<Buffer[]> {
  const chunks: Uint8Array[][] = ids.map(() => []);
  await readObjects(session, gitDir, ids, {
    begin() {},
    write: (index, chunk) => void chunks[index]?.push(Buffer.from(chunk)),
  });
  return chunks.map((list) => Buffer.concat(list));
}

/** Takes the output of `git cat-file --batch` apart: `<id> <type> <size>\n<bytes>\n` for each. */
function createBatchParser(
  ids: readonly string[],
  sink: ObjectSink,
): { push(chunk: Uint8Array): void; end(): void } {
  let index = 0;
  let header = '';
  /** Bytes of the current object still to come, and the line end after them; -1: in a header. */
  let left = -1;

  function push(piece: Uint8Array): void {
    let chunk = Buffer.from(piece.buffer, piece.byteOffset, piece.byteLength);
    while (chunk.length > 0) {
      if (left < 0) {
        const end = chunk.indexOf(10);
        header += chunk.toString('latin1', 0, end < 0 ? chunk.length : end);
        if (end < 0) return;
        chunk = chunk.subarray(end + 1);
        begin();
      } else {
        const content = chunk.subarray(0, Math.max(0, left - 1));
        if (content.length > 0) sink.write(index, content);
        const taken = Math.min(chunk.length, left);
        left -= taken;
        chunk = chunk.subarray(taken);
        if (left === 0) {
          left = -1;
          index += 1;
        }
      }
    }
  }

  function begin(): void {
    const match = /^([0-9a-f]+) (\w+) (\d+)$/.exec(header);
    if (!match || match[1] !== ids[index]) {
      throw new GitError('corrupt', `object ${ids[index] ?? ''} cannot be read: ${header.slice(0, 100)}`);
    }
    header = '';
    left = Number(match[3]) + 1;
    sink.begin(index, Number(match[3]));
  }

  function end(): void {
    if (index !== ids.length) throw new GitError('corrupt', `${ids.length - index} objects are missing`);
  }

  return { push, end };
}
