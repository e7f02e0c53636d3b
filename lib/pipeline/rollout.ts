import type { Artifact } from '../core/artifact.ts';
import type { ReconcileJob } from '../core/job.ts';
import { commitOf } from '../core/revision.ts';
import type { Rollout } from '../store/rollouts.ts';
import type { GitRepository } from '../toolkit/git-repository.ts';
import type { Kustomization } from '../toolkit/kustomization.ts';
import type { Context } from './context.ts';
import { guestsToTakeOver } from './guests.ts';
import { kustomizationRef } from './kustomizations.ts';
import { sourceRefOf } from './load-source.ts';
import type { ToolkitRef } from './object-key.ts';
import { objectKey } from './object-key.ts';
import { overtake } from './overtake.ts';
import { projectOf } from './providers.ts';
import { report } from './report-rollout.ts';
import type { Run } from './run.ts';
import type { WithStatus } from './status.ts';

/**
 * A rollout is one commit of one source on its way through one cluster: its members are the source itself and every
 * Kustomization that the commit touches. The commit's status is made of it: pending while a member is, red as soon as one has
 * failed, green when all are done, and superseded when a newer commit took over first.
 */

/**
 * Opens the rollout of a new artifact with its first members, and closes those of older commits of the same source.
 * @param others what follows the source, too, and needs no run for the commit
 * @param look what follows the source by now
 * @returns what it takes over from those, and what was made since it was looked; they must run again to say how they fare
 */
export async function openRollout(
  run: Run,
  source: WithStatus,
  artifact: Artifact,
  members: readonly ToolkitRef[],
  others: readonly ToolkitRef[] = [],
  look: () => Promise<readonly ToolkitRef[]> = async () => [],
): Promise<ToolkitRef[]> {
  const { ctx, job } = run;
  const commit = commitOf(artifact.revision);
  const project = projectOf(ctx, (source as unknown as GitRepository).spec.url);
  if (!project || commit === '') return [];
  const key = objectKey(run.ref);
  const known = await ctx.index.rollouts.get(job.cluster, key, commit);
  const isKnown = known?.supersededBy === '';
  // One that has ended comes back (A → B → A) without that a push has announced it: it overtakes all that was on its way when this run began.
  const comesBack = isKnown && (await wasLeft(ctx, known));
  const isAnnounced = isKnown && !comesBack && (await ctx.index.rollouts.isUnfinished(known));
  const rollout: Rollout = {
    cluster: job.cluster,
    source: key,
    commit,
    destination: project.provider.name,
    project: project.project,
    startedAt: isAnnounced ? known.startedAt : run.startedAt,
    supersededBy: '',
  };
  const touched = members.map(objectKey);
  const seen = new Set([...touched, ...others.map(objectKey)]);
  const guests = await guestsToTakeOver(run, rollout, new Set(touched));
  const late: ToolkitRef[] = [];
  // Nothing is touched by it and nobody announced it: a run of the schedule that found all as it was.
  const isNews = known !== undefined || members.length > 0 || guests.length > 0;
  if (isNews) {
    // When it began is kept for whoever compares the two later.
    if (!isKnown || comesBack) await ctx.index.rollouts.open(rollout);
    // What was made since it was looked has found no rollout to join.
    if (known === undefined) late.push(...(await look()).filter((ref) => !seen.has(objectKey(ref))));
    // The source itself is done in a moment; members that are to run again make the commit pending again, and nothing else does.
    await ctx.index.rollouts.add(rollout, [key]);
    for (const ref of late) seen.add(objectKey(ref));
    const running = [...touched, ...late.map(objectKey), ...guests.map((guest) => guest.key)];
    await ctx.index.rollouts.add(rollout, running, { again: true });
    await ctx.index.guests.invite(
      job.cluster,
      guests.map(({ version: _, ...guest }) => ({ ...guest, commit })),
    );
  }
  const overtaken = await overtakenBy(ctx, rollout, job);
  const heirs = await overtake(ctx, overtaken, rollout, seen);
  if (isNews || heirs.length > 0) await report(ctx, rollout);
  return [...guests.map(({ ref }) => ref), ...late, ...heirs.map(kustomizationRef)];
}

/** Whether a commit began before the one that its source was at until now: it was there once, and no push has announced it since. */
async function wasLeft(ctx: Context, { cluster, source, commit, startedAt }: Rollout): Promise<boolean> {
  const sent = await ctx.index.rollouts.sent(cluster, source);
  if (sent === undefined || sent.commit === commit) return false;
  const last = await ctx.index.rollouts.get(cluster, source, sent.commit);
  return last !== undefined && last.startedAt > startedAt;
}

/**
 * The rollouts that a newer one overtakes: those that began before it, and that of the push that led to it where another commit was found in
 * its place. One that a later push has announced meanwhile, be it of the same commit (A → B → A), is left alone: its own job is on its way.
 */
async function overtakenBy(
  ctx: Context,
  newest: Rollout,
  { origin, requestedAt }: ReconcileJob,
): Promise<Rollout[]> {
  const unfinished = await ctx.index.rollouts.unfinished(newest.cluster, newest.source);
  return unfinished
    .filter(({ commit }) => commit !== newest.commit)
    .filter(
      ({ commit, startedAt }) =>
        startedAt <= newest.startedAt || (commit === origin?.commit && startedAt <= requestedAt),
    );
}

/** The rollout that an object is a part of while it is at a revision of its source; undefined when there is none. */
export async function rolloutOf(
  run: Run,
  object: WithStatus,
  revision: string,
): Promise<Rollout | undefined> {
  const commit = commitOf(revision);
  return commit === ''
    ? undefined
    : run.ctx.index.rollouts.get(run.job.cluster, sourceKeyOf(run.ref, object), commit);
}

/** The key of the source whose rollouts an object belongs to: its own for a source. */
export function sourceKeyOf(ref: ToolkitRef, object: WithStatus): string {
  return ref.kind === 'Kustomization'
    ? objectKey(sourceRefOf(object as unknown as Kustomization))
    : objectKey(ref);
}
