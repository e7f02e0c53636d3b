import { join } from 'node:path';
import { commitOf, parseRevision } from '../core/revision.ts';
import { type GitAuth, identityOfAuth } from '../git/auth.ts';
import { parseCommit, personOf } from '../git/commit.ts';
import { fetchCommit } from '../git/fetch.ts';
import { createMirrors } from '../git/mirror.ts';
import { listTree, readWhole } from '../git/objects.ts';
import { listRefs } from '../git/remote.ts';
import { type GitDependencies, type GitSession, openSession } from '../git/session.ts';
import { type GitUrl, parseGitUrl } from '../git/url.ts';
import { type GitRepository, gitTimeoutOf } from '../toolkit/git-repository.ts';
import { authFor, type ProviderCredentials } from './git-auth.ts';
import { asReconcileError, failure } from './git-failure.ts';
import { patternsOf, refOfRevision, resolveRef, type WantedRef, wantedRef } from './git-ref.ts';
import { type ArtifactLimits, archiveFiles, selectFiles } from './git-tree.ts';
import type { Fetched, SourceInputs, SourceKind } from './source.ts';

/** What {@link createGitRepositorySource} needs. */
export interface GitRepositorySourceOptions extends GitDependencies {
  limits: ArtifactLimits & {
    /** Of what a repository brings onto the disk, in bytes. */
    maxRepositoryBytes: number;
  };
  /** For `spec.provider`; without it only `generic` works. */
  providerCredentials?: ProviderCredentials;
}

/** The source kind GitRepository. https://fluxcd.io/flux/components/source/gitrepositories/ */
export function createGitRepositorySource(options: GitRepositorySourceOptions): SourceKind<GitRepository> {
  const mirrors = createMirrors(join(options.temporaryDirectory, 'mirrors'));

  async function resolve(object: GitRepository, inputs: SourceInputs): Promise<string | undefined> {
    const wanted = wantedOf(object);
    if (wanted.kind === 'commit') return resolveRef(wanted, new Map())?.revision;
    return inSession(options, object, inputs, async (session) => {
      const refs = await listRefs(session, patternsOf(wanted));
      const resolved = resolveRef(wanted, refs);
      if (!resolved) throw notThere(object, wanted, session.url);
      return resolved.revision;
    });
  }

  async function fetch(
    object: GitRepository,
    revision: string | undefined,
    inputs: SourceInputs,
  ): Promise<Fetched> {
    const resolved = revision ?? (await resolve(object, inputs)) ?? '';
    const commit = commitOf(resolved);
    if (commit === '')
      throw failure(object, 'GitOperationFailed', `${JSON.stringify(resolved)} is no revision`);
    return inSession(options, object, inputs, async (session) => {
      const key = [session.url.href, identityOfAuth(session.auth)];
      return mirrors.use(session, key, commit.length === 64 ? 'sha256' : 'sha1', (gitDir) =>
        fetchInto(gitDir, session, object, { revision: resolved, commit }),
      );
    });
  }

  async function fetchInto(
    gitDir: string,
    session: GitSession,
    object: GitRepository,
    { revision, commit }: { revision: string; commit: string },
  ): Promise<Fetched> {
    const { limits } = options;
    const ref = refOfRevision(wantedOf(object), parseRevision(revision)?.name ?? '');
    await fetchCommit(session, { gitDir, commit, ref, maxBytes: limits.maxRepositoryBytes });
    const entries = await listTree(session, { gitDir, commit, sizes: true, maxFiles: limits.maxFiles });
    const files = await selectFiles(session, gitDir, entries, object.spec.ignore);
    const tar = await archiveFiles(session, gitDir, files, limits);
    const [raw] = await readWhole(session, gitDir, [commit]);
    const parsed = parseCommit(raw ?? Buffer.alloc(0));
    return {
      revision,
      ...tar,
      commit: {
        hash: commit,
        author: personOf(parsed.headers.get('author')),
        committer: personOf(parsed.headers.get('committer')),
        subject: parsed.message.split('\n', 1)[0] ?? '',
      },
    };
  }

  return { resolve, fetch };
}

/** Opens a session for the object's server and credentials, and names the object in every error. */
async function inSession<T>(
  options: GitRepositorySourceOptions,
  object: GitRepository,
  inputs: SourceInputs,
  work: (session: GitSession) => Promise<T>,
): Promise<T> {
  try {
    const url = parseGitUrl(object.spec.url);
    const auth: GitAuth = await authFor(object, url, inputs, options.providerCredentials);
    const session = await openSession(options, {
      url,
      auth,
      timeout: gitTimeoutOf(object),
      signal: inputs.signal,
    });
    try {
      return await work(session);
    } finally {
      await session.close();
    }
  } catch (error) {
    throw asReconcileError(object, error);
  }
}

function wantedOf(object: GitRepository): WantedRef {
  const wanted = wantedRef(object.spec);
  if (typeof wanted !== 'string') return wanted;
  throw failure(object, 'GitOperationFailed', wanted, { outcome: 'stall' });
}

function notThere(object: GitRepository, wanted: WantedRef, url: GitUrl): Error {
  const what =
    wanted.kind === 'semver'
      ? `tag in the range ${wanted.range}`
      : wanted.kind === 'ref'
        ? wanted.ref
        : 'commit';
  return failure(object, 'GitOperationFailed', `${url.href} has no ${what}`);
}
