import type { KubernetesObject } from '../core/object.ts';
import { refOf } from '../core/object.ts';
import type { Guest, InvitedGuest } from '../store/guests.ts';
import type { Rollout } from '../store/rollouts.ts';
import { kinds } from './kinds.ts';
import { keyOf, objectKey } from './object-key.ts';
import { report } from './report-rollout.ts';
import type { Run } from './run.ts';

/**
 * Guests are Toolkit objects that a commit has written but that follow another source, or are one: a commit that brings a source which
 * cannot be fetched must not be green. They are members of the rollout of whatever wrote them, and of no other one on its account. Once
 * ready their part is done for good; what happens to them later is the affair of their own source. Until then a newer commit of the
 * source that wrote them takes them over.
 */

/** Guests become members that are on their way. In this order, since only a member's end is noted; the job that follows tells it. */
export async function joinAsGuests(
  run: Run,
  rollout: Rollout,
  objects: readonly KubernetesObject[],
): Promise<void> {
  if (objects.length === 0) return;
  const writer = objectKey(run.ref);
  const { index } = run.ctx;
  await index.rollouts.add(rollout, objects.map(keyOf), { again: true });
  await index.guests.invite(
    rollout.cluster,
    objects.map((object) => guestOf(rollout, object, writer)),
  );
}

/** What is to be known of a guest. */
export function guestOf({ source, commit }: Rollout, object: KubernetesObject, writer: string): Guest {
  const { group, kind, namespace, name } = refOf(object);
  const { uid = '', generation = 0 } = object.metadata;
  return {
    key: keyOf(object),
    ref: { group, kind, namespace, name },
    source,
    commit,
    writer,
    uid,
    generation,
  };
}

/**
 * The guests of older commits of a source that a new one has to take over, without those that a member of it is going to answer for: a
 * Kustomization that runs for the new commit may bring what mends them.
 * @param members keys of what runs for the new commit
 */
export async function guestsToTakeOver(
  run: Run,
  rollout: Pick<Rollout, 'cluster' | 'source' | 'commit'>,
  members: ReadonlySet<string>,
): Promise<InvitedGuest[]> {
  const guests = await run.ctx.index.guests.all(rollout.cluster, rollout.source);
  return guests.filter(({ commit, writer }) => commit !== rollout.commit && !members.has(writer));
}

/**
 * An object will not run any more: it is deleted, or suspended. No commit must wait for it. What was written since this run looked at it
 * is the affair of the next run.
 */
export async function leaveAsGuest(run: Run, message: string): Promise<void> {
  const { ctx, job, ref, seen } = run;
  const { guests, rollouts } = ctx.index;
  const found = await guests.of(job.cluster, objectKey(ref));
  if (found.length === 0) return;
  const { version = 'v1' } = kinds[ref.kind] ?? {};
  const live = await run.client.get<KubernetesObject>({ ...ref, version });
  if (live && (live.metadata.uid !== seen.uid || live.metadata.generation !== seen.generation)) return;
  for (const guest of found) {
    if (!(await guests.dismiss(job.cluster, guest))) continue;
    const rollout = await rollouts.get(job.cluster, guest.source, guest.commit);
    if (rollout && (await rollouts.settle(rollout, guest.key, { state: 'ready', message, runId: '' })))
      await report(ctx, rollout);
  }
}
