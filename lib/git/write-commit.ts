import { randomBytes } from 'node:crypto';
import { GitError } from './errors.ts';
import type { GitRunner } from './objects.ts';

/** Somebody, as commits name them. */
export interface Person {
  name: string;
  email: string;
}

/** A commit to be made. */
export interface CommitRequest {
  gitDir: string;
  /** The full id of its parent, which is here with all its trees. */
  parent: string;
  /** New contents by path. */
  files: ReadonlyMap<string, Uint8Array>;
  /** Paths among them that are executable. */
  executable: ReadonlySet<string>;
  author: Person;
  message: string;
  /** Epoch in ms. */
  at: number;
  /** Signs the bytes of a commit: an armoured signature. */
  sign?: ((payload: Uint8Array) => Promise<string>) | undefined;
}

/** A commit that was made; it is in the repository, and no ref points at it. */
export interface MadeCommit {
  id: string;
  /** The id of its tree. */
  tree: string;
}

/** Makes a commit without a work tree. @throws {GitError} */
export async function writeCommit(session: GitRunner, request: CommitRequest): Promise<MadeCommit> {
  const { gitDir } = request;
  const tree = await writeTree(session, request);
  const bytes = commitBytes(request, tree);
  const signature = await request.sign?.(bytes);
  const signed = signature === undefined ? bytes : withSignature(bytes, signature, tree.length);
  const id = await line(
    session,
    gitDir,
    ['hash-object', '-t', 'commit', '-w', '--stdin'],
    'write a commit',
    signed,
  );
  return { id, tree };
}

/** One process writes all files and the trees above them; the commit that it makes on the way is thrown away. */
async function writeTree(session: GitRunner, request: CommitRequest): Promise<string> {
  const { gitDir, parent, files, executable } = request;
  const ref = `refs/slipway-write/${randomBytes(8).toString('hex')}`;
  const chunks: (string | Uint8Array)[] = [
    `commit ${ref}\ncommitter slipway <> 0 +0000\ndata 0\n\nfrom ${parent}\n`,
  ];
  for (const [path, data] of files) {
    chunks.push(`M ${executable.has(path) ? '100755' : '100644'} inline ${quotePath(path)}\n`);
    chunks.push(`data ${data.byteLength}\n`, data, '\n');
  }
  chunks.push('done\n');
  const stdin = Buffer.concat(
    chunks.map((chunk) => (typeof chunk === 'string' ? Buffer.from(chunk) : chunk)),
  );
  await session.git(['fast-import', '--quiet', '--done'], { what: 'write changed files', gitDir, stdin });
  try {
    return await line(session, gitDir, ['rev-parse', '--verify', `${ref}^{tree}`], 'find the written files');
  } finally {
    await session.git(['update-ref', '-d', ref], { what: 'clean up', gitDir, anyCode: true });
  }
}

/** A path as fast-import reads it. https://git-scm.com/docs/git-fast-import#Documentation/git-fast-import.txt-path */
function quotePath(path: string): string {
  const bytes = [...Buffer.from(path)];
  const quoted = bytes.map((byte) => {
    const character = String.fromCharCode(byte);
    if (character === '"' || character === '\\') return `\\${character}`;
    return byte < 0x20 || byte > 0x7e ? `\\${byte.toString(8).padStart(3, '0')}` : character;
  });
  return `"${quoted.join('')}"`;
}

/** https://git-scm.com/docs/git-hash-object, https://git-scm.com/docs/git-commit-tree */
function commitBytes({ parent, author, message, at }: CommitRequest, tree: string): Buffer {
  const who = `${plainName(author.name || author.email)} <${plainName(author.email)}> ${Math.floor(at / 1_000)} +0000`;
  const text = message.endsWith('\n') || message === '' ? message : `${message}\n`;
  return Buffer.from(
    `tree ${tree}\nparent ${parent}\nauthor ${who}\ncommitter ${who}\n\n${text.replaceAll('\0', '')}`,
  );
}

/** Names must not hold what ends them. */
function plainName(text: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is removed here
  return text.replace(/[<>\u0000-\u001f\u007f]/g, '').trim();
}

/** The signature goes into a header after the others. https://git-scm.com/docs/gitformat-signature */
function withSignature(commit: Buffer, signature: string, idLength: number): Buffer {
  const name = idLength === 64 ? 'gpgsig-sha256' : 'gpgsig';
  const end = commit.indexOf('\n\n');
  const header = `\n${name} ${signature.trimEnd().split('\n').join('\n ')}`;
  return Buffer.concat([commit.subarray(0, end), Buffer.from(header), commit.subarray(end)]);
}

async function line(
  session: GitRunner,
  gitDir: string,
  args: readonly string[],
  what: string,
  stdin?: Uint8Array,
): Promise<string> {
  const { stdout } = await session.git(args, { what, gitDir, ...(stdin === undefined ? {} : { stdin }) });
  const id = Buffer.from(stdout).toString('latin1').trim();
  if (!/^([0-9a-f]{40}|[0-9a-f]{64})$/.test(id))
    throw new GitError('corrupt', `cannot ${what}: no id came back`);
  return id;
}
