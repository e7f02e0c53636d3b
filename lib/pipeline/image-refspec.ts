import { ReconcileError } from '../core/errors.ts';
import { describe } from '../core/object.ts';
import { isRecentAncestor } from '../git/ancestry.ts';
import type { PushedRef } from '../git/push.ts';
import type { RepositoryAccess } from '../source/git-access.ts';
import { explaining, type Heads } from './image-checkout.ts';
import type { ImageTarget } from './image-target.ts';
import type { Run } from './run.ts';

/**
 * The ref of `push.refspec`, and how it may be moved. Git itself cannot tell whether a ref that has stayed behind only goes forward, since no
 * history is fetched; so that is looked at here, and the push then demands that the ref is still where it was.
 * @returns undefined when no further ref is pushed to
 */
export async function refspecRef(
  run: Run,
  { alsoTo, branch }: ImageTarget,
  access: RepositoryAccess,
  { checkout, also }: Heads,
): Promise<PushedRef | undefined> {
  if (!alsoTo || alsoTo.name === `refs/heads/${branch}`) return undefined;
  // Only branches go forward; a tag that is there stays, as Git has it.
  const isBranch = alsoTo.name.startsWith('refs/heads/');
  if (alsoTo.force || !isBranch || also === undefined || also === checkout.commit) return alsoTo;
  const place = { ...access, commit: checkout.commit, use: 'history' as const };
  const isBehind = await explaining(run, () =>
    access.workspace.work(place, (session, gitDir) =>
      isRecentAncestor(session, gitDir, { ancestor: also, head: checkout.commit }),
    ),
  );
  if (isBehind) return { name: alsoTo.name, overwrite: also };
  throw new ReconcileError(
    'GitOperationFailed',
    `${describe(run.ref)}: ${alsoTo.name} of spec.git.push.refspec holds commit ${also}, which is none of the newest of what is checked out; ` +
      'merge it, or let the refspec begin with +, which overwrites it',
    { outcome: 'retry' },
  );
}
