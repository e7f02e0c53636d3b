import type { Artifact } from '../core/artifact.ts';
import { describe } from '../core/object.ts';
import { commitOf } from '../core/revision.ts';
import type { MemberChange, Rollout } from '../store/rollouts.ts';
import type { GitRepository } from '../toolkit/git-repository.ts';
import type { Kustomization } from '../toolkit/kustomization.ts';
import type { Context } from './context.ts';
import type { Kind } from './kinds.ts';
import { attemptedCommit } from './kinds.ts';
import { sourceRefOf } from './load-source.ts';
import type { ToolkitRef } from './object-key.ts';
import { objectKey } from './object-key.ts';
import type { Outcome } from './outcome.ts';
import { projectOf } from './providers.ts';
import { report } from './report-rollout.ts';
import type { Run } from './run.ts';
import type { WithStatus } from './status.ts';

/**
 * A rollout is one commit of one source on its way through one cluster: its members are the source itself and every
 * Kustomization that the commit touches. The commit's status is made of it: pending while a member is, red as soon as one has
 * failed, green when all are done, and superseded when a newer commit took over first.
 */

/** Opens the rollout of a new artifact with its first members, and closes those of older commits of the same source. */
export async function openRollout(
  run: Run,
  source: WithStatus,
  artifact: Artifact,
  members: readonly ToolkitRef[],
): Promise<void> {
  const { ctx, job } = run;
  const commit = commitOf(artifact.revision);
  const project = projectOf(ctx, (source as unknown as GitRepository).spec.url);
  if (!project || commit === '') return;
  const key = objectKey(run.ref);
  const known = await ctx.index.rollouts.get(job.cluster, key, commit);
  const rollout: Rollout = {
    cluster: job.cluster,
    source: key,
    commit,
    destination: project.provider.name,
    project: project.project,
    startedAt: known && known.supersededBy === '' ? known.startedAt : ctx.now(),
    supersededBy: '',
  };
  // Nothing is touched by it and nobody announced it: a run of the schedule that found all as it was.
  if (known || members.length > 0) {
    if (known?.supersededBy !== '') await ctx.index.rollouts.open(rollout);
    // The source itself is done in a moment; members that are to run again make the commit pending again, and nothing else does.
    await ctx.index.rollouts.add(rollout, [key]);
    await ctx.index.rollouts.add(rollout, members.map(objectKey), { again: true });
  }
  await supersede(ctx, rollout, job.origin?.commit);
  if (known || members.length > 0) await report(ctx, rollout);
}

/** Members that a parent has just applied join its rollout, while the parent is still in it. */
export async function addToRollout(
  run: Run,
  parent: Kustomization,
  revision: string,
  members: readonly ToolkitRef[],
): Promise<void> {
  if (members.length === 0) return;
  const rollout = await currentRollout(run, parent as WithStatus, revision);
  if (rollout) await run.ctx.index.rollouts.add(rollout, members.map(objectKey), { again: true });
}

/** A member has come to an end, for now: its part of the commit status. */
export async function settleMember(
  run: Run,
  kind: Kind,
  object: WithStatus,
  outcome: Outcome,
): Promise<void> {
  const { ctx, job } = run;
  const commit =
    run.ref.kind === 'GitRepository'
      ? (job.commit ?? attemptedCommit(kind, object))
      : attemptedCommit(kind, object);
  const source = sourceKeyOf(run.ref, object);
  if (commit === '') return;
  const rollout = await ctx.index.rollouts.get(job.cluster, source, commit);
  if (!rollout) return;
  const state = outcome.result === 'success' ? 'ready' : outcome.result === 'failure' ? 'failed' : 'pending';
  const message = state === 'ready' ? summaryOf(run) : `${describe(run.ref)}: ${outcome.ready.message}`;
  const change = await ctx.index.rollouts.settle(rollout, objectKey(run.ref), {
    state,
    message,
    runId: run.id,
  });
  if (change && isSeenAtOnce(ctx, change)) return report(ctx, rollout);
  // While others are on their way the commit shows nothing new. A report reads every member, so most runs must do without.
  if (await ctx.index.rollouts.mayBePending(rollout)) return;
  // One that has not ended is told of even without news: the run that wrote this may have died before it could.
  if (change || (await ctx.index.rollouts.isUnfinished(rollout))) await report(ctx, rollout);
}

/** Whether a commit status differs by this alone, however the other members fare. */
function isSeenAtOnce(ctx: Context, { before, state, hasFailed }: MemberChange): boolean {
  return ctx.fleet.statuses.objects === 'all' || hasFailed || (before === 'ready' && state === 'pending');
}

/**
 * Closes the rollouts that a newer one has overtaken: those that began before it, and that of the push that led to it where another commit
 * was found in its place. One that a later push has announced meanwhile is left alone: its own job is on its way.
 */
async function supersede(ctx: Context, newest: Rollout, pushed: string | undefined): Promise<void> {
  const unfinished = await ctx.index.rollouts.unfinished(newest.cluster, newest.source);
  await Promise.all(
    unfinished
      .filter(({ commit }) => commit !== newest.commit)
      .filter(({ commit, startedAt }) => startedAt <= newest.startedAt || commit === pushed)
      .map(async (rollout) => {
        const closed = { ...rollout, supersededBy: newest.commit };
        await ctx.index.rollouts.open(closed);
        await report(ctx, closed);
      }),
  );
}

async function currentRollout(run: Run, object: WithStatus, revision: string): Promise<Rollout | undefined> {
  const source = sourceKeyOf(run.ref, object);
  const commit = commitOf(revision);
  return commit === '' ? undefined : run.ctx.index.rollouts.get(run.job.cluster, source, commit);
}

/** The key of the source whose rollouts an object belongs to: its own for a source. */
export function sourceKeyOf(ref: ToolkitRef, object: WithStatus): string {
  return ref.kind === 'Kustomization'
    ? objectKey(sourceRefOf(object as unknown as Kustomization))
    : objectKey(ref);
}

function summaryOf(run: Run): string {
  const count = (action: string) => run.changes.filter((change) => change.action === action).length;
  const parts = (['created', 'configured', 'deleted', 'unchanged'] as const)
    .map((action) => [count(action), action] as const)
    .filter(([n]) => n > 0)
    .map(([n, action]) => `${n} ${action}`);
  return parts.length === 0 ? 'nothing to change' : parts.join(', ');
}
