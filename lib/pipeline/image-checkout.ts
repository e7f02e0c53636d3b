import { ReconcileError } from '../core/errors.ts';
import { describe } from '../core/object.ts';
import { GitError } from '../git/errors.ts';
import type { RemoteRef } from '../git/refs.ts';
import { listRefs } from '../git/remote.ts';
import type { GitSession } from '../git/session.ts';
import { isYamlFile } from '../image/update-files.ts';
import type { RepositoryAccess } from '../source/git-access.ts';
import { checkOut } from '../source/git-checkout.ts';
import { patternsOf, type ResolvedRef, resolveRef } from '../source/git-ref.ts';
import { filesOf, readFiles } from '../source/git-tree.ts';
import type { TreeFile } from '../tar.ts';
import { type ImageTarget, invalid, pathOfUpdate } from './image-target.ts';
import { fleetCredentials } from './providers.ts';
import { readSecret } from './read-secret.ts';
import type { Run } from './run.ts';

/** What the server shows: what is checked out, and where the other branch stands that is written to. */
export interface Heads {
  checkout: ResolvedRef;
  /** The commit of the branch that is written to; undefined when there is none yet. */
  branch: string | undefined;
  /** The commit of the ref of `push.refspec`; undefined when there is none. */
  also: string | undefined;
}

/** Opens the repository with the credentials of its GitRepository. */
export async function openRepository(
  run: Run,
  { source, sourceRef }: ImageTarget,
): Promise<RepositoryAccess> {
  const { namespace } = sourceRef;
  const usedBy = `${describe(sourceRef)} spec.secretRef`;
  // The provider's token is the operator's: only an automation beside the root source may write with it.
  const isBeside = run.ref.namespace === namespace;
  return explaining(run, () =>
    run.ctx.git.access.open(source, {
      secret: (name) => readSecret(run.client, namespace, name, usedBy, 'GitOperationFailed'),
      fleetCredentials: isBeside
        ? fleetCredentials({ cluster: run.cluster, ctx: run.ctx, ref: sourceRef }, source)
        : undefined,
      signal: run.signal,
    }),
  );
}

/** Asks the server for them. @throws ReconcileError `GitOperationFailed` when there is nothing to check out */
export async function readHeads(run: Run, target: ImageTarget, access: RepositoryAccess): Promise<Heads> {
  const branchRef = `refs/heads/${target.branch}`;
  const refs = await explaining(run, () =>
    access.workspace.talk(access, (session): Promise<ReadonlyMap<string, RemoteRef>> => {
      const further = target.alsoTo ? [target.alsoTo.name] : [];
      const patterns = [...new Set([...patternsOf(target.wanted), branchRef, ...further])];
      return listRefs(session, patterns);
    }),
  );
  const checkout = resolveRef(target.wanted, refs);
  if (checkout) {
    const also = target.alsoTo && refs.get(target.alsoTo.name)?.commit;
    return { checkout, branch: refs.get(branchRef)?.commit, also };
  }
  const { wanted } = target;
  const what =
    wanted.kind === 'semver' ? `tag in the range ${wanted.range}` : wanted.kind === 'ref' ? wanted.ref : '';
  throw new ReconcileError(
    'GitOperationFailed',
    `${describe(run.ref)}: ${access.url.href} has no ${what}; check spec.git.checkout.ref and spec.ref of the GitRepository`,
    { outcome: 'retry' },
  );
}

/** The files that may hold markers, and which of them are executable. */
export interface CheckedOut {
  files: TreeFile[];
  executable: ReadonlySet<string>;
}

/**
 * Reads the YAML files below a path of what is checked out.
 * @param path `spec.update.path`: a directory or a file; undefined for all
 * @throws ReconcileError `UpdateFailed` for a path that is not there; GitError
 */
export async function readCheckout(
  run: Run,
  session: GitSession,
  gitDir: string,
  { commit, ref }: ResolvedRef,
  path: string | undefined,
): Promise<CheckedOut> {
  const { limits } = run.ctx.git.access;
  const below = pathOfUpdate(run.ref, path);
  const entries = await checkOut(session, {
    gitDir,
    commit,
    ref: ref || undefined,
    directories: undefined,
    limits,
  });
  const wanted = entries.filter(
    (entry) => below === '' || entry.path === below || entry.path.startsWith(`${below}/`),
  );
  if (wanted.length === 0 && below !== '') {
    const message = `${describe(run.ref)}: spec.update.path ${JSON.stringify(path)} is not in commit ${commit}`;
    throw new ReconcileError('UpdateFailed', message, { outcome: 'retry' });
  }
  const yaml = filesOf(wanted).filter((entry) => isYamlFile(entry.path));
  const files = await readFiles(session, gitDir, yaml, limits);
  return {
    files,
    executable: new Set(files.filter(({ executable }) => executable).map((file) => file.path)),
  };
}

/** Names the object in errors of the Git client, and gives them the Toolkit's reason. */
export async function explaining<T>(run: Run, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof GitError)) throw error;
    if (error.fault === 'url') throw invalid(run, error.message);
    throw new ReconcileError('GitOperationFailed', `${describe(run.ref)}: ${error.message}`, {
      cause: error,
    });
  }
}
