import { artifactOf } from '../core/artifact.ts';
import type { Condition } from '../core/conditions.ts';
import { refOf } from '../core/object.ts';
import { commitOf } from '../core/revision.ts';
import type { Rollout } from '../store/rollouts.ts';
import { presentNotice } from './applied-status.ts';
import { isSuspended } from './change-reason.ts';
import type { ClusterConnection, Context } from './context.ts';
import { enqueue, reconcileJob } from './enqueue.ts';
import { guestOf } from './guests.ts';
import { kinds } from './kinds.ts';
import { kustomizationRef } from './kustomizations.ts';
import { keyOf } from './object-key.ts';
import { overtake } from './overtake.ts';
import { isReady } from './ready.ts';
import { report } from './report-rollout.ts';
import { sourceKeyOf } from './rollout.ts';
import type { WithStatus } from './status.ts';

/** As long as a look takes, and more. */
const LEASE_MS = 30_000;

/**
 * So many unfinished rollouts of a source are looked at in a sweep, half of them the newest. While pushes stand in line there are hundreds, of
 * which the run for the last one ends all others; a sweep that looked at each would take longer than they do.
 */
const LOOKED_AT = 6;

/** What is said of a member that will not run any more. */
export const GONE = 'deleted';
export const SUSPENDED = 'suspended, left as it is';

/** An object will not run for its commit any more: it is deleted, or suspended. Its commit must not wait for it. */
export async function leaveRollouts(
  ctx: Context,
  cluster: string,
  source: string,
  key: string,
  message: string,
): Promise<void> {
  for (const rollout of await ctx.index.rollouts.unfinished(cluster, source))
    await leave(ctx, rollout, key, message);
  const sent = await ctx.index.rollouts.sent(cluster, source);
  const last = sent && (await ctx.index.rollouts.get(cluster, source, sent.commit));
  // One that is red because of an object that the same commit deletes turns green without it.
  if (last) await leave(ctx, last, key, message);
}

/** A source is gone: what its last push was to bring will not come, and its commit must say so. */
export async function abandonRollouts(ctx: Context, cluster: string, source: string): Promise<void> {
  const message = `${source} was deleted before this commit was deployed`;
  for (const rollout of await ctx.index.rollouts.unfinished(cluster, source)) {
    for (const { key, state } of await ctx.index.rollouts.members(rollout)) {
      if (state !== 'pending') continue;
      await ctx.index.rollouts.settle(rollout, key, { state: 'failed', message, runId: '' });
    }
    await report(ctx, rollout);
  }
  for (const guest of await ctx.index.guests.all(cluster, source))
    await ctx.index.guests.dismiss(cluster, guest);
}

async function leave(ctx: Context, rollout: Rollout, key: string, message: string): Promise<void> {
  if (await ctx.index.rollouts.settle(rollout, key, { state: 'ready', message, runId: '' }))
    await report(ctx, rollout);
}

/**
 * Ends what a crash, or an event that nobody saw, left open: members of unfinished rollouts that do not exist any more, are
 * suspended, or have reached the commit without the rollout having heard of it; and rollouts that were opened again after another commit took over.
 * @param objects all Toolkit objects of the cluster, a moment ago
 */
export async function healRollouts(
  ctx: Context,
  cluster: ClusterConnection,
  objects: readonly WithStatus[],
): Promise<void> {
  const { rollouts, guests } = ctx.index;
  const { name } = cluster.config;
  const byKey = new Map(objects.map((object) => [keyOf(object), object]));
  const sources = objects.filter(({ kind }) => kind === 'GitRepository').map(keyOf);
  const invited = new Set((await guests.all(name)).map((guest) => `${guest.key} ${guest.source}`));
  for (const source of sources) {
    for (const rollout of chosen(await rollouts.unfinished(name, source), ctx.random())) {
      const listed = byKey.get(source);
      if (listed && (await overtakenBy(ctx, rollout, listed))) {
        // What was listed may be older than the rollout, which then is that of the commit it has come to.
        const newer = await overtakenBy(ctx, rollout, await cluster.client.get<WithStatus>(refOf(listed)));
        if (newer) await closeOvertaken(ctx, rollout, newer, byKey);
        continue;
      }
      const members = await rollouts.members(rollout);
      const stuck = members.filter(({ key, state }) => {
        const object = byKey.get(key);
        if (state !== 'pending') return false;
        const isForgotten = object && isGuest(object, source) && !invited.has(`${key} ${source}`);
        return isForgotten || endOf(object, rollout) !== undefined;
      });
      for (const { key } of stuck) await heal(ctx, cluster, rollout, key);
      // Where all are still on their way there is nothing to say that their ends will not say.
      const areUnderWay = members.length > 0 && members.every(({ state }) => state === 'pending');
      if (stuck.length > 0 || !areUnderWay) await report(ctx, rollout);
    }
  }
}

/**
 * The rollout of the commit that the source has come to, where that one began after another which is unfinished: a run that was on its way
 * when the source moved on has said something of its own commit, after all others of that commit were closed.
 */
async function overtakenBy(
  ctx: Context,
  rollout: Rollout,
  object: WithStatus | undefined,
): Promise<Rollout | undefined> {
  const { cluster, source, commit, startedAt } = rollout;
  const artifact = artifactOf(object);
  const current = commitOf(artifact?.revision);
  if (current === '' || current === commit) return undefined;
  const known = await ctx.index.rollouts.get(cluster, source, current);
  // A commit that nobody announced and that touched nothing has none. It began no later than the source came to it.
  const since = Date.parse(artifact?.lastUpdateTime ?? '');
  const newer = known ?? { ...rollout, commit: current, startedAt: since, supersededBy: '' };
  return newer.supersededBy === '' && newer.startedAt >= startedAt ? newer : undefined;
}

/** Closes a rollout; what was on its way in it, and has not come to its end at the newer commit yet, is sent to tell of that one. */
async function closeOvertaken(
  ctx: Context,
  rollout: Rollout,
  newer: Rollout,
  byKey: ReadonlyMap<string, WithStatus>,
): Promise<void> {
  const members = await ctx.index.rollouts.members(rollout);
  const ended = members.map(({ key }) => key).filter((key) => endOf(byKey.get(key), newer) !== undefined);
  const heirs = await overtake(ctx, [rollout], newer, new Set(ended));
  const jobOf = (key: string) => reconcileJob(ctx, rollout.cluster, kustomizationRef(key), 'source');
  await enqueue(
    ctx,
    heirs.map((key) => ({ job: jobOf(key) })),
  );
}

/** The newest rollouts, and as many of the others, beginning at another place each time. @param chance 0 ≤ n < 1 */
function chosen(unfinished: readonly Rollout[], chance: number): readonly Rollout[] {
  if (unfinished.length <= LOOKED_AT) return unfinished;
  const newestFirst = unfinished.toSorted((a, b) => b.startedAt - a.startedAt);
  const newest = newestFirst.splice(0, LOOKED_AT / 2);
  const start = Math.floor(chance * newestFirst.length);
  const others = [...newestFirst.slice(start), ...newestFirst.slice(0, start)];
  return [...newest, ...others.slice(0, LOOKED_AT - newest.length)];
}

/** Looks again, now that no run is at the object: what was listed may be older than the rollout. */
async function heal(
  ctx: Context,
  { config, client }: ClusterConnection,
  rollout: Rollout,
  key: string,
): Promise<void> {
  const { rollouts, guests, leases } = ctx.index;
  const [kindName = '', namespace = '', name = ''] = key.split('/');
  const kind = kinds[kindName];
  if (!kind) return;
  const lease = await leases.acquire(`${config.name}/${key}`, ctx.holder, LEASE_MS);
  if (!lease) return;
  try {
    const { group, version } = kind;
    const live = await client.get<WithStatus>({ group, version, kind: kindName, namespace, name });
    const message = endOf(live, rollout);
    const known = (await guests.of(config.name, key)).find(({ source }) => source === rollout.source);
    if (message !== undefined) {
      const notice = presentNotice(live?.status?.conditions as Condition[] | undefined).replace(/^; /, '');
      await rollouts.settle(rollout, key, { state: 'ready', message, notice, runId: '' });
      if (known) await guests.dismiss(config.name, known);
    } else if (live && !known && isGuest(live, rollout.source)) {
      const member = (await rollouts.members(rollout)).find((each) => each.key === key);
      // Who wrote it is not known any more; its next run tells how it fares.
      if (member?.state === 'pending') await guests.invite(config.name, [guestOf(rollout, live, '')]);
    }
  } finally {
    await leases.release(lease);
  }
}

/** Whether an object is in a rollout of this source only because its commit wrote it. */
function isGuest(object: WithStatus, source: string): boolean {
  return keyOf(object) !== source && sourceKeyOf(refOf(object), object) !== source;
}

/** What to say of an object that will not run for a commit any more; undefined when it still may. */
function endOf(object: WithStatus | undefined, { source, commit }: Rollout): string | undefined {
  if (!object) return GONE;
  if (isSuspended(object)) return SUSPENDED;
  if (isGuest(object, source)) return isReady(object) ? '' : undefined;
  const { lastAppliedRevision, lastAttemptedRevision } = (object.status ?? {}) as Record<string, string>;
  const isThere = lastAppliedRevision === lastAttemptedRevision && commitOf(lastAppliedRevision) === commit;
  return object.kind === 'Kustomization' && isReady(object) && isThere ? '' : undefined;
}
