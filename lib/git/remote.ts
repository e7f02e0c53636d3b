import { GitError } from './errors.ts';
import { parseRefs, type RemoteRef } from './refs.ts';
import type { GitSession } from './session.ts';
import { type GitUrl, resolveGitUrl } from './url.ts';

/** 100,000 refs need about 10 MB. */
const MAX_REFS_BYTES = 64 * 1024 * 1024;
const MAX_REDIRECTS = 3;

/**
 * What the server's refs point at now.
 * @param patterns full names, or prefixes ending in `/*`
 */
export async function listRefs(
  session: GitSession,
  patterns: readonly string[],
): Promise<Map<string, RemoteRef>> {
  const what = `list the refs of ${session.url.href}`;
  // The commit behind an annotated tag stands in a line of its own.
  const wanted = patterns.flatMap((name) => [name, `${name}^{}`]);
  const { stdout } = await followingRedirects(session, () =>
    session.git(['ls-remote', '--quiet', ...kindOf(patterns), '--', session.url.href, ...wanted], {
      what,
      maxOutput: MAX_REFS_BYTES,
    }),
  );
  return parseRefs(Buffer.from(stdout).toString('utf8'));
}

/** Lets the server send only one kind of ref: it may have thousands of others. */
function kindOf(patterns: readonly string[]): string[] {
  if (patterns.every((name) => name.startsWith('refs/heads/'))) return ['--heads'];
  if (patterns.every((name) => name.startsWith('refs/tags/'))) return ['--tags'];
  return [];
}

/**
 * Runs something that talks to the server; when the server redirects, looks where to, and goes on there if it is the same
 * server. Credentials never go anywhere else.
 */
export async function followingRedirects<T>(session: GitSession, action: () => Promise<T>): Promise<T> {
  for (let hops = 0; ; hops += 1) {
    try {
      return await action();
    } catch (error) {
      if (!(error instanceof GitError) || error.fault !== 'redirect' || hops >= MAX_REDIRECTS) throw error;
      await session.moveTo(await findRedirect(session, error));
    }
  }
}

async function findRedirect(session: GitSession, original: GitError): Promise<GitUrl> {
  const from = session.url;
  const answers = await headersOfAnswer(session);
  const location = /^.*<= Recv header: location:\s*(\S+)\s*$/im.exec(answers)?.[1];
  const base = location?.replace(/\/info\/refs(\?service=git-upload-pack)?$/, '');
  if (location === undefined || base === location || base === undefined) throw original;
  const to = resolveGitUrl(from, base);
  if (!isSameServer(from, to)) {
    const message = `${from.href} redirects to another server (${to.href}), which is not followed; if that is right, put it in spec.url`;
    throw new GitError('redirect', message, { cause: original });
  }
  return to;
}

/** Git's trace of the HTTP headers, with credentials left out by Git itself. */
async function headersOfAnswer(session: GitSession): Promise<string> {
  const env = { GIT_TRACE_CURL: '1', GIT_TRACE_CURL_NO_DATA: '1' };
  const call = { what: 'look where it redirects to', env, anyCode: true } as const;
  const { stderr } = await session.git(['ls-remote', '--quiet', '--', session.url.href, 'HEAD'], call);
  return stderr;
}

/** The same scheme, host and port; or http turned into https on the same host with the default ports. */
function isSameServer(from: GitUrl, to: GitUrl): boolean {
  if (from.host !== to.host) return false;
  if (from.scheme === to.scheme && from.port === to.port) return true;
  return from.scheme === 'http' && from.port === 80 && to.scheme === 'https' && to.port === 443;
}
