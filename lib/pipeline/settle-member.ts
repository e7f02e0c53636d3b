import { describe } from '../core/object.ts';
import { commitOf } from '../core/revision.ts';
import type { MemberChange, MemberResult, Rollout } from '../store/rollouts.ts';
import type { Context } from './context.ts';
import type { Kind } from './kinds.ts';
import { attemptedCommit } from './kinds.ts';
import { objectKey } from './object-key.ts';
import type { Outcome } from './outcome.ts';
import { report } from './report-rollout.ts';
import { sourceKeyOf } from './rollout.ts';
import type { Run } from './run.ts';
import type { WithStatus } from './status.ts';

/** An object has come to an end, for now: its part in the statuses of the commits that it is a member of. */
export async function settleMember(
  run: Run,
  kind: Kind,
  object: WithStatus,
  outcome: Outcome,
): Promise<void> {
  const state = outcome.result === 'success' ? 'ready' : outcome.result === 'failure' ? 'failed' : 'pending';
  const message = state === 'ready' ? summaryOf(run) : named(describe(run.ref), outcome.ready.message);
  const notice = outcome.notice?.replace(/^; /, '') ?? '';
  const result = { state, message, notice, runId: run.id } as const;
  await Promise.all([settleOwn(run, kind, object, result), settleGuest(run, result)]);
}

/** Its part in the commit of its own source that the run was about. */
async function settleOwn(run: Run, kind: Kind, object: WithStatus, result: MemberResult): Promise<void> {
  const { ctx, job } = run;
  const attempted = attemptedCommit(kind, object);
  const isSource = run.ref.kind === 'GitRepository';
  // One that waits for a dependency has tried the commit before, and says nothing of that one any more.
  const commit = isSource ? (job.commit ?? attempted) : commitOf(run.revision);
  if (commit === '') return settleUntried(run, object, result, attempted);
  // The run for a push may have found a later commit, whose own push nobody was told of.
  const found = isSource && result.state === 'ready' ? [commit, attempted] : [commit];
  for (const each of new Set(found)) {
    const rollout = await ctx.index.rollouts.get(job.cluster, sourceKeyOf(run.ref, object), each);
    if (rollout) await tell(run, rollout, result);
  }
}

/**
 * A Kustomization that fails before it comes to its source has tried no commit: those on their way must not wait for it for ever. When
 * none is, it is the last one that does not stand any more.
 * @param before the commit that it tried before; empty when there is none
 */
async function settleUntried(
  run: Run,
  object: WithStatus,
  result: MemberResult,
  before: string,
): Promise<void> {
  const { rollouts } = run.ctx.index;
  const { cluster } = run.job;
  const source = sourceKeyOf(run.ref, object);
  if (result.state !== 'failed' || source === objectKey(run.ref)) return;
  const unfinished = await rollouts.unfinished(cluster, source);
  const open = unfinished.filter(({ supersededBy }) => supersededBy === '');
  for (const rollout of open) await tell(run, rollout, result);
  if (open.length > 0 || (await rollouts.sent(cluster, source))?.commit !== before) return;
  const last = await rollouts.get(cluster, source, before);
  if (last) await tell(run, last, result);
}

/** Its part in commits of other sources that have written it. */
async function settleGuest(run: Run, result: MemberResult): Promise<void> {
  const { ctx, job, seen } = run;
  const { guests, rollouts } = ctx.index;
  for (const guest of await guests.of(job.cluster, objectKey(run.ref))) {
    // This run has not yet seen what was written; the job of the one that does is on its way.
    if (guest.uid === seen.uid && seen.generation < guest.generation) continue;
    const rollout = await rollouts.get(job.cluster, guest.source, guest.commit);
    // One that was superseded has its end; whoever took over takes the guest over, too.
    if (rollout && rollout.supersededBy === '') await tell(run, rollout, result);
    if (result.state === 'ready' || !rollout) await guests.dismiss(job.cluster, guest);
  }
}

async function tell(run: Run, rollout: Rollout, result: MemberResult): Promise<void> {
  const { ctx } = run;
  const change = await ctx.index.rollouts.settle(rollout, objectKey(run.ref), result);
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

/** A message that begins with what it is about, once. */
function named(name: string, message: string): string {
  return message.startsWith(`${name}: `) ? message : `${name}: ${message}`;
}

function summaryOf(run: Run): string {
  const count = (action: string) => run.changes.filter((change) => change.action === action).length;
  const parts = (['created', 'configured', 'deleted', 'unchanged'] as const)
    .map((action) => [count(action), action] as const)
    .filter(([n]) => n > 0)
    .map(([n, action]) => `${n} ${action}`);
  return parts.length === 0 ? 'nothing to change' : parts.join(', ');
}
