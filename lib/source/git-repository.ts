import { commitOf, parseRevision } from '../core/revision.ts';
import { isRecentAncestor } from '../git/ancestry.ts';
import { fetchById } from '../git/fetch.ts';
import { listRefs } from '../git/remote.ts';
import type { GitRepository } from '../toolkit/git-repository.ts';
import {
  createGitAccess,
  type GitAccess,
  type GitAccessOptions,
  type RepositoryAccess,
} from './git-access.ts';
import { asReconcileError, failure } from './git-failure.ts';
import { fetchRepository, useOf } from './git-fetch.ts';
import {
  patternsOf,
  type ResolvedRef,
  refOfRevision,
  resolveRef,
  type WantedRef,
  wantedRef,
} from './git-ref.ts';
import { createVisibility } from './git-visibility.ts';
import type { Fetched, SourceInputs, SourceKind } from './source.ts';

/** The source kind GitRepository. https://fluxcd.io/flux/components/source/gitrepositories/ */
export function createGitRepositorySource(
  options: GitAccessOptions,
  access: GitAccess = createGitAccess(options),
): SourceKind<GitRepository> {
  const decide = createVisibility(options.now);

  async function resolve(object: GitRepository, inputs: SourceInputs): Promise<string> {
    const wanted = wantedOf(object);
    if (wanted.kind === 'commit') return resolveRef(wanted, new Map())?.revision ?? '';
    const open = await access.open(object, inputs);
    const [listed] = await Promise.allSettled([
      open.workspace.talk(open, (session) => listRefs(session, patternsOf(wanted))),
      fetchAhead(open, object, wanted, inputs),
    ]);
    if (listed.status === 'rejected') throw listed.reason;
    const refs = listed.value;
    const resolved = resolveRef(wanted, refs);
    const { commit: expected } = inputs;
    if (expected) {
      const decision = await decide({
        key: `${object.metadata.namespace}/${object.metadata.name} ${open.url.href} ${patternsOf(wanted)}`,
        expected,
        resolved,
        refs,
        pushedAt: inputs.pushedAt,
        isAncestor: (head) =>
          open.workspace.work({ ...open, commit: head, use: 'history' }, (session, gitDir) =>
            isRecentAncestor(session, gitDir, { ancestor: expected, head }),
          ),
      });
      if (decision !== 'go-on') throw notVisible(object, expected, resolved, decision.waitMs);
    }
    if (resolved) return resolved.revision;
    if (refs.size === 0 && (await isEmpty(open))) {
      throw failure(object, 'EmptyGitRepository', `${open.url.href} has no commits yet`);
    }
    throw failure(
      object,
      'GitOperationFailed',
      `${open.url.href} has no ${describeWanted(wanted)}; check spec.ref`,
    );
  }

  /**
   * Fetches the commit that a push has named while the server is still asked for its refs: nearly always it is what they show, and two ways
   * there and back are one. Nothing goes by it: what the refs show counts, whether it is in the mirror by then or not.
   */
  async function fetchAhead(
    open: RepositoryAccess,
    { spec }: GitRepository,
    wanted: WantedRef,
    { commit, current }: SourceInputs,
  ): Promise<void> {
    if (commit === undefined || wanted.kind !== 'ref' || !wanted.ref.startsWith('refs/heads/')) return;
    if (commitOf(current?.revision) === commit) return;
    const use = useOf(spec);
    const { maxRepositoryBytes: maxBytes } = options.limits;
    await open.workspace
      .work({ ...open, commit, use }, (session, gitDir) =>
        fetchById(session, { gitDir, commit, withoutBlobs: use === 'sparse', maxBytes }),
      )
      // Whoever wants it fetches it then, and says what is wrong.
      .catch(() => {});
  }

  async function fetch(
    object: GitRepository,
    revision: string | undefined,
    inputs: SourceInputs,
  ): Promise<Fetched> {
    const resolved = revision ?? (await resolve(object, inputs));
    const commit = commitOf(resolved);
    if (commit === '') {
      throw failure(
        object,
        'GitOperationFailed',
        `${JSON.stringify(resolved)} is no revision of a Git repository`,
      );
    }
    const ref = refOfRevision(wantedOf(object), parseRevision(resolved)?.name ?? '');
    return fetchRepository(options, await access.open(object, inputs), object, inputs, {
      revision: resolved,
      commit,
      ref,
    });
  }

  return {
    resolve: (object, inputs) => naming(object, () => resolve(object, inputs)),
    fetch: (object, revision, inputs) => naming(object, () => fetch(object, revision, inputs)),
  };
}

async function isEmpty(open: RepositoryAccess): Promise<boolean> {
  return (await open.workspace.talk(open, (session) => listRefs(session, ['refs/*']))).size === 0;
}

/** Names the object in every error. */
async function naming<T>(object: GitRepository, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw asReconcileError(object, error);
  }
}

function wantedOf(object: GitRepository): WantedRef {
  const wanted = wantedRef(object.spec);
  if (typeof wanted !== 'string') return wanted;
  throw failure(object, 'GitOperationFailed', wanted, { outcome: 'stall' });
}

function describeWanted(wanted: WantedRef): string {
  if (wanted.kind === 'commit') return `commit ${wanted.commit}`;
  return wanted.kind === 'semver' ? `tag in the range ${wanted.range}` : wanted.ref;
}

function notVisible(
  object: GitRepository,
  expected: string,
  resolved: ResolvedRef | undefined,
  retryAfter: number,
): Error {
  const shown = resolved ? `shows ${resolved.ref} at ${resolved.commit}` : 'does not show the ref yet';
  const message = `a push brought commit ${expected}, but the server still ${shown}; asking again`;
  return failure(object, 'GitOperationFailed', message, { outcome: 'wait', retryAfter });
}
