import { type Condition, getCondition, rfc3339 } from '../core/conditions.ts';
import { digestOf } from '../core/digest.ts';
import { gitRevision } from '../core/revision.ts';
import type { ImageUpdateAutomation } from '../toolkit/image-update-automation.ts';
import { enqueue, reconcileJob } from './enqueue.ts';
import { type Attempted, isPushed, lookForUpdate, writeUpdate } from './image-attempt.ts';
import { openRepository, readHeads } from './image-checkout.ts';
import { chosenPolicies, observedPolicies } from './image-policies.ts';
import { lastPush } from './image-pushes.ts';
import { type ImageTarget, imageTarget } from './image-target.ts';
import { branchKey } from './image-update.ts';
import type { PushedCommit } from './image-write.ts';
import { type Outcome, succeeded } from './outcome.ts';
import { isReady } from './ready.ts';
import type { Reconciled } from './reconciled.ts';
import { type Run, step } from './run.ts';
import type { WithStatus } from './status.ts';

/** So many places that were left alone are told; a chart of templates may have hundreds. */
const MAX_TOLD = 10;

/** Writes the images that policies have chosen into the repository, and pushes what changed. */
export async function reconcileImageUpdateAutomation(
  run: Run,
  automation: ImageUpdateAutomation,
): Promise<Reconciled> {
  const object = automation as unknown as WithStatus;
  const startedAt = rfc3339(run.startedAt);
  run.attempted = (status) => ({ ...status, lastAutomationRunTime: startedAt });
  const target = await imageTarget(run, automation);
  const policies = await step(run, 'policies', () => chosenPolicies(run.client, automation));
  const observed = observedPolicies(policies);
  const isCurrent =
    isReady(object) &&
    automation.status?.observedGeneration === automation.metadata.generation &&
    digestOf(automation.status?.observedPolicies ?? {}) === digestOf(observed);
  // Twenty policies that changed at once send twenty jobs; the first has seen to all of them.
  if (isCurrent && run.job.trigger === 'source') return { object, outcome: stillUpToDate(object) };
  const access = await openRepository(run, target);
  const heads = await step(run, 'resolve', () => readHeads(run, target, access));
  const branch = branchKey(target, `refs/heads/${target.branch}`);
  const last = await lastPush(run.ctx, branch);
  const isUnchanged = isCurrent && automation.status?.observedSourceRevision === heads.checkout.revision;
  const asked = run.job.trigger === 'request';
  if (isUnchanged && !asked && (!target.isSeparate || heads.branch === last?.head))
    return {
      object,
      outcome: stillUpToDate(object),
      status: (status) => ({ ...status, lastAutomationRunTime: startedAt }),
    };
  const looked = await lookForUpdate(run, automation, target, { policies, heads });
  const isDone = looked.update.files.size === 0 || isPushed(target, heads, looked.update, last);
  const attempted = isDone ? looked : await writeUpdate(run, automation, target);
  const { pushed } = attempted;
  const outcome = succeeded('Succeeded', `repository up-to-date${leftAlone(run, attempted)}`);
  return {
    object,
    outcome: pushed ? { ...outcome, told: summaryOf(pushed, target), isNews: true as const } : outcome,
    status: (status) => ({
      ...status,
      lastAutomationRunTime: startedAt,
      observedPolicies: observedPolicies(attempted.policies),
      observedSourceRevision: revisionSeen(target, attempted),
      ...(pushed ? { lastPushCommit: pushed.id, lastPushTime: rfc3339(run.ctx.now()) } : {}),
    }),
    afterwards: async () => {
      if (pushed && target.isFollowed) await sendSource(run, target, pushed);
    },
  };
}

/** Nothing has changed since the last run, and so neither has what it had to say. */
function stillUpToDate(object: WithStatus): Outcome {
  const ready = getCondition(object.status?.conditions as Condition[] | undefined, 'Ready');
  return succeeded('Succeeded', ready?.message ?? 'repository up-to-date');
}

/** In Flux's words, with the message of the commit. */
function summaryOf({ id, message }: PushedCommit, { branch, git }: ImageTarget): string {
  const also = git.push?.refspec ? ` and refspecs '${git.push.refspec}'` : '';
  return `pushed commit '${id.slice(0, 7)}' to branch '${branch}'${also}\n${message}`;
}

/** Where the branch that is checked out stands now: at the commit itself, when it was pushed there. */
function revisionSeen({ isSeparate, wanted }: ImageTarget, { heads, pushed }: Attempted): string {
  if (!pushed || isSeparate || wanted.kind !== 'ref') return heads.checkout.revision;
  return gitRevision(wanted.name, pushed.id);
}

/** What of the marked fields was left as it is, for people; empty when nothing was. */
function leftAlone(run: Run, { update }: Attempted): string {
  const all = [
    ...update.problems,
    ...update.kept.map(({ file, line, why }) => `${file}:${line} is left as it is: ${why}`),
    ...[...update.unknown]
      .filter((policy) => policy.startsWith(`${run.ref.namespace}:`))
      .map(
        (policy) =>
          `a marker names ${policy}, which does not exist, is not selected, or has chosen no image yet`,
      ),
  ];
  const more = all.length - MAX_TOLD;
  const told = [...all.slice(0, MAX_TOLD), ...(more > 0 ? [`${more} more`] : [])];
  return told.map((text) => `; ${text}`).join('');
}

/** The push is deployed at once; its webhook, should it come as well, finds nothing left to do. */
async function sendSource(run: Run, { sourceRef, git }: ImageTarget, { id }: PushedCommit): Promise<void> {
  const { ctx, job } = run;
  const { author } = git.commit;
  const origin = { id: run.id, commit: id, author: `${author.name ?? ''} <${author.email}>`.trim() };
  await enqueue(ctx, [
    { job: reconcileJob(ctx, job.cluster, sourceRef, 'push', { origin, commit: id, pushedAt: ctx.now() }) },
  ]);
}
