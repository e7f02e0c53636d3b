import { readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { GitError } from './errors.ts';
import { followingRedirects } from './remote.ts';
import type { GitSession } from './session.ts';

/** What to bring into a repository. */
export interface FetchRequest {
  gitDir: string;
  /** The full id of the commit. */
  commit: string;
  /** The full name of the ref on which the commit stands, for servers that hand out no commits by id. */
  ref: string | undefined;
  /** A tag whose object is wanted as well: its full name. It is put at `tagOf(commit)`. */
  tag?: string | undefined;
  /** Leave file contents out; `fetchObjects` brings them. */
  withoutBlobs?: boolean;
  /** The most that may lie in the repository's packs, in bytes. */
  maxBytes: number;
}

const OPTIONS = [
  '--quiet',
  '--no-tags',
  '--no-write-fetch-head',
  '--no-recurse-submodules',
  '--no-auto-maintenance',
  '--force',
];
const INFINITE_DEPTH = '--depth=2147483647';
/** How often the size of what comes is looked at, in ms. */
const WATCH_INTERVAL = 250;

/** Our ref that proves that a commit is here with everything it needs: Git writes it last. */
export function proofOf(commit: string): string {
  return `refs/slipway/${commit}`;
}

/** Our ref for the tag object that was asked for with a commit. */
export function tagOf(commit: string): string {
  return `refs/slipway-tag/${commit}`;
}

/**
 * Brings one commit, without history where the server can: first by its id, then the newest commit of its ref, then the
 * whole ref.
 * @throws {GitError} `missing` when the server has no such commit on the ref
 */
export async function fetchCommit(session: GitSession, request: FetchRequest): Promise<void> {
  const { commit, ref } = request;
  if (request.tag === undefined && (await isHere(request))) return;
  const tag = request.tag === undefined ? [] : [`+${request.tag}:${tagOf(commit)}`];
  const attempts: { depth: string[]; spec: string }[] = [{ depth: ['--depth=1'], spec: byId(commit) }];
  if (ref !== undefined) {
    attempts.push({ depth: ['--depth=1'], spec: `+${ref}:refs/slipway-tip/${commit}` });
    attempts.push({ depth: [INFINITE_DEPTH], spec: `+${ref}:refs/slipway-tip/${commit}` });
    attempts.push({ depth: [], spec: `+${ref}:refs/slipway-tip/${commit}` });
  } else attempts.push({ depth: [], spec: `+refs/heads/*:refs/slipway-all/*` });

  let last: GitError | undefined;
  for (const [attempt, { depth, spec }] of attempts.entries()) {
    try {
      await fetchOnce(session, request, [...depth, ...filterOf(request)], [spec, ...tag]);
    } catch (error) {
      if (!(error instanceof GitError) || !mayWorkOtherwise(error)) throw error;
      last = error;
      continue;
    }
    if (attempt === 0 || (await confirm(session, request))) return;
  }
  const where = ref === undefined ? '' : ` on ${ref}`;
  const message = `${session.url.href} has no commit ${commit}${where}`;
  throw new GitError('missing', message, last ? { cause: last } : {});
}

/**
 * Brings one commit by its id alone, for whoever does not know yet whether it will be wanted.
 * @throws {GitError} when it is not there, or when the server hands out no commits by id
 */
export async function fetchById(
  session: GitSession,
  request: Omit<FetchRequest, 'ref' | 'tag'>,
): Promise<void> {
  if (await isHere(request)) return;
  await fetchOnce(session, request, ['--depth=1', ...filterOf(request)], [byId(request.commit)]);
}

/** Brings objects that were left out before, all in one request. */
export async function fetchObjects(
  session: GitSession,
  request: Pick<FetchRequest, 'gitDir' | 'maxBytes'>,
  ids: readonly string[],
): Promise<void> {
  if (ids.length === 0) return;
  await fetchOnce(session, request, ['--stdin', '--filter=blob:none'], [], `${ids.join('\n')}\n`, [
    '-c',
    'fetch.negotiationAlgorithm=noop',
  ]);
}

async function fetchOnce(
  session: GitSession,
  request: Pick<FetchRequest, 'gitDir' | 'maxBytes'>,
  options: readonly string[],
  refspecs: readonly string[],
  stdin?: string,
  settings: readonly string[] = [],
): Promise<void> {
  const watch = watchSize(join(request.gitDir, 'objects', 'pack'), request.maxBytes);
  try {
    await followingRedirects(session, () =>
      session.git([...settings, 'fetch', ...OPTIONS, ...options, '--', session.url.href, ...refspecs], {
        what: `fetch from ${session.url.href}`,
        gitDir: request.gitDir,
        signal: watch.signal,
        ...(stdin === undefined ? {} : { stdin }),
      }),
    );
  } catch (error) {
    throw watch.signal.aborted ? tooBig(session, request.maxBytes) : error;
  } finally {
    watch.stop();
  }
  if (await exceeds(join(request.gitDir, 'objects', 'pack'), request.maxBytes))
    throw tooBig(session, request.maxBytes);
}

function byId(commit: string): string {
  return `+${commit}:${proofOf(commit)}`;
}

/** Whether an earlier fetch has brought the commit: nothing ever packs our refs, so each is a file. */
async function isHere({ gitDir, commit }: Pick<FetchRequest, 'gitDir' | 'commit'>): Promise<boolean> {
  const text = await readFile(join(gitDir, proofOf(commit)), 'latin1').catch(() => '');
  return text.trim() === commit;
}

/** Whether the commit has come; if so, it is marked as complete. */
async function confirm(session: GitSession, { gitDir, commit }: FetchRequest): Promise<boolean> {
  try {
    await session.git(['update-ref', proofOf(commit), `${commit}`], {
      what: `find commit ${commit}`,
      gitDir,
    });
    return true;
  } catch (error) {
    if (error instanceof GitError && (error.fault === 'corrupt' || error.fault === 'other')) return false;
    throw error;
  }
}

/** Errors after which another way of asking can succeed: commits by id, depth or filter are not offered by this server. */
function mayWorkOtherwise(error: GitError): boolean {
  return (
    error.fault === 'missing' ||
    /shallow capabilities|does not support (shallow|filter)|filtering not recognized/i.test(error.message)
  );
}

function filterOf(request: Pick<FetchRequest, 'withoutBlobs'>): string[] {
  return request.withoutBlobs ? ['--filter=blob:none'] : [];
}

function tooBig(session: GitSession, maxBytes: number): GitError {
  const limit = `${Math.round(maxBytes / 1024 / 1024)} MiB`;
  return new GitError(
    'too-big',
    `${session.url.href} is larger than ${limit}; list the needed directories in spec.sparseCheckout, or raise the limit in slipway.yaml`,
  );
}

/** Aborts when a directory of packs grows beyond a limit: Git itself has none for a fetch. */
function watchSize(directory: string, maxBytes: number): { signal: AbortSignal; stop(): void } {
  const controller = new AbortController();
  const timer = setInterval(() => {
    exceeds(directory, maxBytes).then(
      (over) => over && controller.abort(),
      () => {},
    );
  }, WATCH_INTERVAL);
  return { signal: controller.signal, stop: () => clearInterval(timer) };
}

async function exceeds(directory: string, maxBytes: number): Promise<boolean> {
  let total = 0;
  for (const name of await readdir(directory).catch(() => [])) {
    total += await stat(join(directory, name)).then(
      ({ size }) => size,
      () => 0,
    );
  }
  return total > maxBytes;
}
