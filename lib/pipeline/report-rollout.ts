import type { StatusState } from '../forge/forge.ts';
import { describeMember, describeRollout } from '../notify/status-text.ts';
import type { Member, Rollout, RolloutState } from '../store/rollouts.ts';
import type { Core } from './context.ts';

const MEMBER_STATE: Readonly<Record<Member['state'], StatusState>> = {
  pending: 'pending',
  ready: 'success',
  failed: 'failure',
};

/**
 * Writes what a commit should show for a cluster; the outbox sends it when it differs from what was sent last. Where several
 * sources of the cluster bring the same commit, their rollouts share its status, so that a failure of one is never hidden by another's
 * success.
 */
export async function report(ctx: Pick<Core, 'fleet' | 'index'>, opened: Rollout): Promise<void> {
  const { rollouts } = ctx.index;
  const siblings = (await rollouts.siblings(opened)).filter(({ source }) => source !== opened.source);
  const [seen, ...others] = await Promise.all([
    rollouts.read(opened),
    ...siblings.map((sibling) => rollouts.read(sibling)),
  ]);
  // What may yet become something else must be found by the commit that takes over, also when it had ended before.
  if (!isOver(seen) && seen.markVersion === 0) await rollouts.reopen(seen.rollout);
  const all = [seen, ...others];
  const members = all.flatMap((each) => each.members);
  // Of workers that report at the same time, the one that saw the later state is believed.
  const sequence = all.reduce((sum, each) => sum + each.sequence, 0);
  const superseded = all.find(({ rollout }) => rollout.supersededBy !== '')?.rollout.supersededBy ?? '';
  await want(ctx, seen.rollout, {
    context: contextOf(ctx, opened.cluster),
    state: combined(all.map(stateOf)),
    description: describeRollout({ cluster: opened.cluster, supersededBy: superseded }, members),
    runId: (
      members.find((member) => member.state === 'failed') ?? members.findLast((member) => member.runId !== '')
    )?.runId,
    sequence,
  });
  await reportMembers(ctx, seen);
  if (isOver(seen)) await rollouts.finish(seen);
}

/** Objects have a status of their own once they have failed, or where the fleet file asks for all. */
async function reportMembers(
  ctx: Pick<Core, 'fleet' | 'index'>,
  { rollout, members, sequence }: RolloutState,
): Promise<void> {
  const { objects } = ctx.fleet.statuses;
  const own = members.filter(
    (member) =>
      member.key !== rollout.source && (objects === 'all' || member.state === 'failed' || member.hasFailed),
  );
  await Promise.all(
    own.map((member) =>
      want(ctx, rollout, {
        context: `${contextOf(ctx, rollout.cluster)}/${member.key}`,
        state:
          rollout.supersededBy !== '' && member.state === 'pending'
            ? 'superseded'
            : MEMBER_STATE[member.state],
        description: describeMember(member),
        runId: member.runId,
        sequence,
      }),
    ),
  );
}

interface Wish {
  context: string;
  state: StatusState;
  description: string;
  runId: string | undefined;
  sequence: number;
}

async function want(
  ctx: Pick<Core, 'fleet' | 'index'>,
  rollout: Rollout,
  { runId, ...wish }: Wish,
): Promise<void> {
  const { cluster, destination, project, commit } = rollout;
  const { url } = ctx.fleet.server;
  const target = url && runId ? { targetUrl: `${url}/runs/${cluster}/${runId}` } : {};
  await ctx.index.outbox.want({ cluster, destination, project, commit, ...wish, ...target });
}

function contextOf(ctx: Pick<Core, 'fleet' | 'index'>, cluster: string): string {
  return `${ctx.fleet.statuses.prefix}/${cluster}`;
}

function stateOf({ rollout, members }: RolloutState): StatusState {
  if (members.some(({ state }) => state === 'failed')) return 'failure';
  // However far it came: another commit is what the cluster runs.
  if (rollout.supersededBy !== '') return 'superseded';
  return members.every(({ state }) => state === 'ready') ? 'success' : 'pending';
}

/** Whether nothing is to come any more: nobody is on the way, and the source has not only failed for now. */
function isOver({ rollout, members }: RolloutState): boolean {
  if (rollout.supersededBy !== '') return true;
  return members.every(
    ({ key, state }) => state === 'ready' || (state === 'failed' && key !== rollout.source),
  );
}

/** The worst of several. */
function combined(states: readonly StatusState[]): StatusState {
  const order: readonly StatusState[] = ['failure', 'pending', 'superseded'];
  return order.find((state) => states.includes(state)) ?? 'success';
}
