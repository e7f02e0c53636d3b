import { createHash } from 'node:crypto';
import * as z from 'zod';
import type { GitAuth } from '../git/auth.ts';
import { secretsOf } from '../git/auth.ts';
import { GitError } from '../git/errors.ts';
import { readWhole, type TreeEntry } from '../git/objects.ts';
import type { GitSession } from '../git/session.ts';
import { type GitUrl, originOf } from '../git/url.ts';
import type { Http, HttpRequest, HttpResponse } from '../http.ts';
import { HttpError } from '../http-error.ts';
import type { TreeFile } from '../tar.ts';
import type { ArtifactLimits } from './git-tree.ts';

/** What stands in a repository for a file that is kept elsewhere. https://github.com/git-lfs/git-lfs/blob/main/docs/spec.md */
export interface LfsPointer {
  /** SHA-256 of the contents, in hex. */
  oid: string;
  size: number;
}

const MAX_POINTER = 1_024;
const BATCH = 100;
const MEDIA_TYPE = 'application/vnd.git-lfs+json';

/** Gitea sends the first of these along. */
const CONNECTION_HEADERS = new Set(['transfer-encoding', 'connection', 'host', 'content-length', 'upgrade']);

const Answer = z.object({
  objects: z.array(
    z.object({
      oid: z.string(),
      error: z.object({ code: z.number(), message: z.string() }).optional(),
      actions: z
        .object({
          download: z.object({ href: z.string(), header: z.record(z.string(), z.string()).optional() }),
        })
        .partial()
        .optional(),
    }),
  ),
});

/** Whether any `.gitattributes` of a tree puts files into LFS. */
export async function usesLfs(
  session: GitSession,
  gitDir: string,
  files: readonly TreeEntry[],
): Promise<boolean> {
  const attributes = files.filter(
    ({ path }) => path === '.gitattributes' || path.endsWith('/.gitattributes'),
  );
  const texts = await readWhole(
    session,
    gitDir,
    attributes.map(({ id }) => id),
  );
  return texts.some((text) => /\bfilter=lfs\b/.test(text.toString('utf8')));
}

/** Reads a pointer. @returns undefined when the file is none */
export function parsePointer(data: Uint8Array): LfsPointer | undefined {
  if (data.length > MAX_POINTER) return undefined;
  const text = Buffer.from(data.buffer, data.byteOffset, data.byteLength).toString('utf8');
  if (!text.startsWith('version https://git-lfs.github.com/spec/v1\n')) return undefined;
  const oid = /^oid sha256:([0-9a-f]{64})$/m.exec(text)?.[1];
  const size = /^size (\d{1,15})$/m.exec(text)?.[1];
  return oid === undefined || size === undefined ? undefined : { oid, size: Number(size) };
}

/**
 * Replaces the pointers among files by what they stand for, checked against their digests.
 * @throws {GitError} when the server has not got one, or answers with something else
 */
export async function fetchLfsFiles(
  http: Http | undefined,
  access: { url: GitUrl; auth: GitAuth },
  files: readonly TreeFile[],
  limits: ArtifactLimits & { signal: AbortSignal },
): Promise<TreeFile[]> {
  const pointers = files.map(({ data }) => parsePointer(data));
  const wanted = new Map(pointers.flatMap((pointer) => (pointer ? [[pointer.oid, pointer] as const] : [])));
  // Over SSH the pointers stay, as they do with Flux: LFS would need a command on the server there.
  if (wanted.size === 0 || !http || access.url.scheme === 'ssh') return [...files];
  const total = [...wanted.values()].reduce((sum, { size }) => sum + size, 0);
  if (total > limits.maxBytes) {
    throw new GitError(
      'too-big',
      `the files in Git LFS have ${total} bytes, over the limit of ${limits.maxBytes}`,
    );
  }
  const contents = new Map<string, Uint8Array>();
  const all = [...wanted.values()];
  for (let start = 0; start < all.length; start += BATCH) {
    await fetchBatch(http, access, all.slice(start, start + BATCH), contents, limits.signal);
  }
  return files.map((file, index) => {
    const data = contents.get(pointers[index]?.oid ?? '');
    return data === undefined ? file : { ...file, data };
  });
}

/** https://github.com/git-lfs/git-lfs/blob/main/docs/api/batch.md */
async function fetchBatch(
  http: Http,
  { url, auth }: { url: GitUrl; auth: GitAuth },
  pointers: readonly LfsPointer[],
  contents: Map<string, Uint8Array>,
  signal: AbortSignal,
): Promise<void> {
  const base = `${url.href.replace(/\/+$/, '').replace(/\.git$/, '')}.git/info/lfs`;
  const own = authorization(auth);
  const secrets = secretsOf(auth);
  const answer = await ask(http, {
    method: 'POST',
    url: `${base}/objects/batch`,
    headers: { accept: MEDIA_TYPE, 'content-type': MEDIA_TYPE, ...own },
    body: JSON.stringify({
      operation: 'download',
      transfers: ['basic'],
      hash_algo: 'sha256',
      objects: pointers,
    }),
    secrets,
    signal,
  });
  const parsed = answer.status === 200 ? parseAnswer(answer.text()) : undefined;
  if (!parsed)
    throw new GitError(
      answer.status === 401 ? 'auth' : 'network',
      `${base} answers ${answer.status} to a request for LFS files; leave them out with spec.ignore if they are not needed`,
    );
  for (const pointer of pointers) {
    const found = parsed.objects.find(({ oid }) => oid === pointer.oid);
    const download = found?.actions?.download;
    if (!download) {
      const why = found?.error ? `: ${found.error.message} (${found.error.code})` : '';
      throw new GitError('missing', `the LFS server has no file ${pointer.oid}${why}`);
    }
    // Our credential goes to the Git server alone; a storage elsewhere gets what the server gave us for it.
    const isOwn =
      URL.canParse(download.href) && new URL(download.href).origin === new URL(originOf(url)).origin;
    const file = await ask(http, {
      url: download.href,
      headers: { ...(isOwn ? own : {}), ...plainHeaders(download.header ?? {}) },
      maxBytes: pointer.size,
      secrets,
      signal,
    });
    if (file.status !== 200)
      throw new GitError('network', `the LFS file ${pointer.oid} is answered with ${file.status}`);
    const digest = createHash('sha256').update(file.body).digest('hex');
    if (digest !== pointer.oid || file.body.length !== pointer.size) {
      throw new GitError('corrupt', `the LFS file ${pointer.oid} came with other contents (${digest})`);
    }
    contents.set(pointer.oid, file.body);
  }
}

async function ask(http: Http, request: HttpRequest): Promise<HttpResponse> {
  try {
    return await http.request(request);
  } catch (error) {
    if (!(error instanceof HttpError)) throw error;
    throw new GitError(
      error.kind === 'refused' ? 'refused' : 'network',
      `cannot fetch files of Git LFS: ${error.message}`,
      {
        cause: error,
      },
    );
  }
}

function parseAnswer(text: string): z.infer<typeof Answer> | undefined {
  try {
    return Answer.safeParse(JSON.parse(text)).data;
  } catch {
    return undefined;
  }
}

/** The server's headers for a download, without those that belong to the connection. */
function plainHeaders(headers: Readonly<Record<string, string>>): Record<string, string> {
  const lower = Object.entries(headers).map(([name, value]): [string, string] => [name.toLowerCase(), value]);
  return Object.fromEntries(lower.filter(([name]) => !CONNECTION_HEADERS.has(name)));
}

function authorization(auth: GitAuth): Record<string, string> {
  if (auth.bearer !== undefined) return { authorization: `Bearer ${auth.bearer}` };
  if (auth.basic === undefined) return {};
  const pair = Buffer.from(`${auth.basic.username}:${auth.basic.password}`).toString('base64');
  return { authorization: `Basic ${pair}` };
}
