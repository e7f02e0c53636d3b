import { type Condition, getCondition, rfc3339 } from '../core/conditions.ts';
import { digestOf } from '../core/digest.ts';
import { gitRevision } from '../core/revision.ts';
import type { ImageUpdateAutomation } from '../toolkit/image-update-automation.ts';
import { enqueue, reconcileJob } from './enqueue.ts';
import { type Attempted, isPushed, lookForUpdate, writeUpdate } from './image-attempt.ts';
import { openRepository, readHeads } from './image-checkout.ts';
import { chosenPolicies, observedPolicies } from './image-policies.ts';
import { keepPullRequest, pullRequestMode } from './image-pull-request.ts';
import { lastPush } from './image-pushes.ts';
import { type ImageTarget, imageTarget } from './image-target.ts';
import { branchKey } from './image-update.ts';
import type { PushedCommit } from './image-write.ts';
import { type Outcome, succeeded } from './outcome.ts';
import { noteOwnPush } from './own-push.ts';
import { isReady } from './ready.ts';
import type { Reconciled } from './reconciled.ts';
import { type Run, step } from './run.ts';
import type { WithStatus } from './status.ts';

/** So many places that were left alone are told; a chart of templates may have hundreds. */
const MAX_TOLD = 10;

/** How often the checks of a pull request are looked at, in ms, where the provider does not merge by itself. */
const CHECKS_MS = 30_000;

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
  const mayRest = run.job.trigger !== 'request' && pullRequestMode(run, automation, target) === 'none';
  if (isUnchanged && mayRest && (!target.isSeparate || heads.branch === last?.head))
    return {
      object,
      outcome: stillUpToDate(object),
      status: (status) => ({ ...status, lastAutomationRunTime: startedAt }),
    };
  const looked = await lookForUpdate(run, automation, target, { policies, heads });
  const isDone = looked.update.files.size === 0 || isPushed(target, heads, looked.update, last);
  const attempted = isDone ? looked : await writeUpdate(run, automation, target);
  const { pushed } = attempted;
  const status = (before: Record<string, unknown>) => ({
    ...before,
    lastAutomationRunTime: startedAt,
    observedPolicies: observedPolicies(attempted.policies),
    observedSourceRevision: revisionSeen(target, attempted),
    ...(pushed ? { lastPushCommit: pushed.id, lastPushTime: rfc3339(run.ctx.now()) } : {}),
  });
  // What was pushed stands in the status even if its pull request fails.
  if (pushed) run.attempted = status;
  const head = pushed?.id ?? attempted.heads.branch;
  const request = await keepPullRequest(run, automation, target, attempted, head);
  const told = [request.text === '' ? '' : `; ${request.text}`, leftAlone(run, attempted)].join('');
  const outcome = succeeded('Succeeded', `repository up-to-date${told}`);
  return {
    object,
    outcome: {
      ...outcome,
      ...(pushed ? { told: summaryOf(pushed, target), isNews: true as const } : {}),
      ...(request.isWaiting ? { requeueAfterMs: CHECKS_MS } : {}),
    },
    status,
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
  await noteOwnPush(run, sourceRef, id);
}
