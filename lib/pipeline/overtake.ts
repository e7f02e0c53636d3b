import type { Rollout } from '../store/rollouts.ts';
import type { Context } from './context.ts';
import { KUSTOMIZATION } from './kustomizations.ts';
import { report } from './report-rollout.ts';

/** So many commits may have taken over one from another until somebody looks. */
const MAX_HOPS = 10;

/**
 * Closes rollouts that a newer one has overtaken. What was still on its way in them runs at the newer commit: it joins that one's rollout
 * where nobody else has seen to it, or it could fail there and nothing would tell.
 * @param seen keys of those that the newer one knows of, whether they are its members or not touched by it
 * @returns the keys of those that have joined; they must run again to say how they fare
 */
export async function overtake(
  ctx: Context,
  overtaken: readonly Rollout[],
  newest: Rollout,
  seen: ReadonlySet<string>,
): Promise<string[]> {
  const { rollouts } = ctx.index;
  const found = await Promise.all(overtaken.map((rollout) => rollouts.close(rollout, newest.commit)));
  const closed = found.filter((rollout) => rollout !== undefined);
  // Read once they are closed: whoever joins them from now on finds that out. Until they are reported, a crash leaves them to be found again.
  const joining = await Promise.all(closed.map((rollout) => underWay(ctx, rollout)));
  const heirs = [...new Set(joining.flat())].filter((key) => !seen.has(key));
  if (heirs.length > 0) {
    if (!(await rollouts.get(newest.cluster, newest.source, newest.commit))) await rollouts.open(newest);
    await rollouts.add(newest, heirs);
  }
  for (const rollout of closed) {
    // That it could not be read for a while is not the fault of the commit, and is over.
    await rollouts.recover(rollout, rollout.source);
    await report(ctx, rollout);
  }
  return heirs;
}

/** Objects have joined a rollout: where another one has overtaken it meanwhile, they join that one, too. */
export async function joinNewest(ctx: Context, joined: Rollout, keys: readonly string[]): Promise<void> {
  const { rollouts } = ctx.index;
  const { cluster, source } = joined;
  let rollout = await rollouts.get(cluster, source, joined.commit);
  for (let hop = 0; rollout && rollout.supersededBy !== '' && hop < MAX_HOPS; hop++) {
    rollout = await rollouts.get(cluster, source, rollout.supersededBy);
    if (rollout) await rollouts.add(rollout, keys);
  }
}

/** The Kustomizations of a rollout that are on their way. Guests are taken over by those who have written them. */
async function underWay(ctx: Context, rollout: Rollout): Promise<string[]> {
  const { rollouts, guests } = ctx.index;
  const pending = (await rollouts.members(rollout)).filter(({ state }) => state === 'pending');
  const own = pending.map(({ key }) => key).filter((key) => key.startsWith(`${KUSTOMIZATION.kind}/`));
  if (own.length === 0) return [];
  const invited = new Set((await guests.all(rollout.cluster, rollout.source)).map(({ key }) => key));
  return own.filter((key) => !invited.has(key));
}
