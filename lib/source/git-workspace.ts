import { type GitAuth, identityOfAuth } from '../git/auth.ts';
import type { Mirrors } from '../git/mirror.ts';
import { type GitDependencies, type GitSession, openSession } from '../git/session.ts';
import type { GitUrl } from '../git/url.ts';

/** A repository to work with. */
export interface GitPlace {
  url: GitUrl;
  auth: GitAuth;
  /** 40 digits or 64: which kind of repository it is. */
  commit: string;
  /** What sets its mirror apart from others of the same repository: `files`, `sparse` or `history`. */
  use: 'files' | 'sparse' | 'history';
}

/** Opens repositories for one run of one object. */
export interface GitWorkspace {
  /** Talks to a server. */
  talk<T>(place: Pick<GitPlace, 'url' | 'auth'>, work: (session: GitSession) => Promise<T>): Promise<T>;
  /** Works in the mirror of a repository, alone: never open a second one within the work. */
  work<T>(place: GitPlace, work: (session: GitSession, gitDir: string) => Promise<T>): Promise<T>;
}

/** @param limits time limit in ms, and the run's signal */
export function createWorkspace(
  deps: GitDependencies,
  mirrors: Mirrors,
  limits: { timeout: number; signal: AbortSignal },
): GitWorkspace {
  const deadline = deps.now() + limits.timeout;

  async function talk<T>(
    { url, auth }: Pick<GitPlace, 'url' | 'auth'>,
    work: (session: GitSession) => Promise<T>,
  ): Promise<T> {
    const timeout = Math.max(1, deadline - deps.now());
    const session = await openSession(deps, { url, auth, timeout, signal: limits.signal });
    try {
      return await work(session);
    } finally {
      await session.close();
    }
  }

  return {
    talk,
    work: (place, work) =>
      talk(place, (session) => inMirror(session, place, (gitDir) => work(session, gitDir))),
  };

  function inMirror<T>(
    session: GitSession,
    place: GitPlace,
    work: (gitDir: string) => Promise<T>,
  ): Promise<T> {
    const key = [place.url.href, identityOfAuth(place.auth), place.use];
    return mirrors.use(session, key, place.commit.length === 64 ? 'sha256' : 'sha1', work);
  }
}
