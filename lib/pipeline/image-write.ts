import { messageOf, ReconcileError } from '../core/errors.ts';
import { describe } from '../core/object.ts';
import { isRecentAncestor } from '../git/ancestry.ts';
import { parseCommit, personOf } from '../git/commit.ts';
import { fetchCommit } from '../git/fetch.ts';
import { readWhole } from '../git/objects.ts';
import { type PushedRef, pushCommit } from '../git/push.ts';
import type { GitSession } from '../git/session.ts';
import { writeCommit } from '../git/write-commit.ts';
import { commitMessage, removedField } from '../image/commit-message.ts';
import { TemplateError } from '../image/template/template-error.ts';
import type { RepositoryAccess } from '../source/git-access.ts';
import type { ImageUpdateAutomation } from '../toolkit/image-update-automation.ts';
import { explaining, type Heads } from './image-checkout.ts';
import type { PushedImages } from './image-pushes.ts';
import type { Sign } from './image-signing.ts';
import type { ImageTarget } from './image-target.ts';
import type { ImageUpdate } from './image-update.ts';
import type { Run } from './run.ts';

/** A commit that was pushed. */
export interface PushedCommit {
  id: string;
  message: string;
}

/** What {@link commitAndPush} works with. */
export interface WriteRequest {
  automation: ImageUpdateAutomation;
  target: ImageTarget;
  heads: Heads;
  /** A further ref that moves together with the branch. */
  also: PushedRef | undefined;
  update: ImageUpdate;
  sign: Sign | undefined;
  /** Called with the commit right before its push; throws when the branch is not ours to write any more. */
  check: (commit: string) => Promise<void>;
}

/**
 * Makes one commit of an update, on top of what is checked out, and pushes it.
 * @returns undefined when somebody else was faster and the update must be worked out anew
 * @throws ReconcileError, GitError
 */
export async function commitAndPush(
  run: Run,
  session: GitSession,
  gitDir: string,
  { automation, target, heads, also, update, sign, check }: WriteRequest,
): Promise<PushedCommit | undefined> {
  const { git, branch, isSeparate } = target;
  const message = messageFor(run, automation, target, update);
  const { author } = git.commit;
  const { id } = await writeCommit(session, {
    gitDir,
    parent: heads.checkout.commit,
    files: update.files,
    executable: update.executable,
    author: { name: author.name ?? '', email: author.email },
    message,
    at: run.ctx.now(),
    sign,
  });
  const own: PushedRef = {
    name: `refs/heads/${branch}`,
    ...(isSeparate ? { overwrite: heads.branch ?? '' } : {}),
  };
  const refs = also ? [own, also] : [own];
  await check(id);
  const options = git.push?.options ?? {};
  return (await pushCommit(session, { gitDir, commit: id, refs, options })) === 'pushed'
    ? { id, message }
    : undefined;
}

function messageFor(
  run: Run,
  { metadata }: ImageUpdateAutomation,
  { git }: ImageTarget,
  { changes }: ImageUpdate,
): string {
  const { messageTemplate, messageTemplateValues = {} } = git.commit;
  try {
    return commitMessage(messageTemplate, {
      automation: { name: metadata.name, namespace: metadata.namespace ?? '' },
      changes,
      values: messageTemplateValues,
    });
  } catch (error) {
    if (!(error instanceof TemplateError)) throw error;
    const where = `spec.git.commit.messageTemplate of ${describe(run.ref)}`;
    const removed = removedField(error);
    if (removed !== undefined)
      throw new ReconcileError('RemovedTemplateField', `${where}: ${removed}`, { outcome: 'stall' });
    throw new ReconcileError('GitOperationFailed', `${where}: ${messageOf(error)}`, { outcome: 'retry' });
  }
}

/**
 * Makes sure that a branch which is made anew each time holds nothing but our own commits, or what is checked out anyway: what somebody
 * has put there must not be lost.
 * @throws ReconcileError `GitOperationFailed` naming the commit
 */
export async function checkOverwrite(
  run: Run,
  target: ImageTarget,
  access: RepositoryAccess,
  { checkout, branch: head }: Heads,
  last: PushedImages | undefined,
): Promise<void> {
  if (!target.isSeparate || head === undefined || head === checkout.commit || head === last?.head) return;
  const ref = `refs/heads/${target.branch}`;
  const author = await explaining(run, () =>
    access.workspace.work({ ...access, commit: head, use: 'files' }, async (session, gitDir) => {
      await fetchCommit(session, {
        gitDir,
        commit: head,
        ref,
        maxBytes: run.ctx.git.access.limits.maxRepositoryBytes,
      });
      const [bytes = Buffer.alloc(0)] = await readWhole(session, gitDir, [head]);
      return personOf(parseCommit(bytes).headers.get('author'));
    }),
  );
  if (author.endsWith(`<${target.git.commit.author.email}>`)) return;
  const isContained = await explaining(run, () =>
    access.workspace.work({ ...access, commit: head, use: 'history' }, (session, gitDir) =>
      isRecentAncestor(session, gitDir, { ancestor: head, head: checkout.commit }),
    ),
  );
  if (isContained) return;
  throw new ReconcileError(
    'GitOperationFailed',
    `${describe(run.ref)}: branch ${target.branch} holds commit ${head} by ${author}, which would be overwritten; merge it, or delete the branch`,
    { outcome: 'retry' },
  );
}
