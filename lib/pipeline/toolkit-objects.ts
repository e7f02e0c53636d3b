import type { Action } from '../core/changeset.ts';
import type { KubernetesObject } from '../core/object.ts';
import { identityOf, refOf } from '../core/object.ts';
import type { Kustomization } from '../toolkit/kustomization.ts';
import { changeReason } from './change-reason.ts';
import { enqueue, reconcileJob } from './enqueue.ts';
import { joinAsGuests } from './guests.ts';
import { isReconciled } from './kinds.ts';
import { sourceRefOf } from './load-source.ts';
import { noteIfNew } from './new-objects.ts';
import { keyOf, objectKey } from './object-key.ts';
import { joinNewest } from './overtake.ts';
import { isReady } from './ready.ts';
import { rolloutOf } from './rollout.ts';
import type { Run } from './run.ts';
import type { WithStatus } from './status.ts';

/**
 * The Toolkit objects among what was just applied that are to be reconciled in turn: this is how a root Kustomization brings
 * everything else. Those are what this run has written, and what is not ready: a run that was cut off may have written it. They join
 * the rollout of the parent's commit, those that follow another source as its guests; before the parent leaves it, so that no commit is
 * green too early, and while what was applied still counts as unfinished, so that it is done again after a crash.
 * @param revision what the parent applies
 * @param applied as the server has it; metadata alone where nothing had to be looked at
 * @param cutOff whether a run before this one was cut off
 */
export async function joinRollout(
  run: Run,
  parent: Kustomization,
  revision: string,
  applied: readonly KubernetesObject[],
  cutOff: boolean,
): Promise<KubernetesObject[]> {
  // What stands in another cluster is another object, whatever its name.
  if (parent.spec.kubeConfig !== undefined) return [];
  const own = keyOf(parent as KubernetesObject);
  const objects = applied.filter((item) => isReconciled(refOf(item)) && keyOf(item) !== own);
  if (objects.length === 0) return [];
  const written = withAction(run, 'created', 'configured');
  const left = withAction(run, 'skipped');
  const isUnfinished = (item: KubernetesObject) => item.spec !== undefined && isUnsettled(item);
  const children = objects.filter((item) => written.has(identityOf(refOf(item))) || isUnfinished(item));
  const rollout = await rolloutOf(run, parent as WithStatus, revision);
  if (!rollout) return children;
  const known = new Map(
    (await run.ctx.index.guests.all(run.job.cluster, rollout.source)).map((guest) => [guest.key, guest]),
  );
  const members = children.filter((item) => followsSource(item, rollout.source));
  await run.ctx.index.rollouts.add(rollout, members.map(keyOf), { again: true });
  if (members.length > 0) await joinNewest(run.ctx, rollout, members.map(keyOf));
  for (const item of members) {
    const guest = known.get(keyOf(item));
    if (guest) await run.ctx.index.guests.dismiss(run.job.cluster, guest);
  }
  const guests = objects.filter((item) => {
    const [key, identity] = [keyOf(item), identityOf(refOf(item))];
    if (members.includes(item) || key === rollout.source || left.has(identity)) return false;
    if (written.has(identity) || (cutOff && isUnfinished(item))) return true;
    const guest = known.get(key);
    return guest !== undefined && guest.commit !== rollout.commit;
  });
  await joinAsGuests(run, rollout, guests);
  return [...new Set([...children, ...guests])];
}

function isUnsettled(object: WithStatus): boolean {
  return changeReason(object) !== undefined || !isReady(object);
}

function withAction(run: Run, ...actions: Action[]): Set<string> {
  return new Set(
    run.changes.filter(({ action }) => actions.includes(action)).map(({ ref }) => identityOf(ref)),
  );
}

/** Whether the commits of a source are an object's own. */
function followsSource(item: KubernetesObject, source: string): boolean {
  return item.kind === 'Kustomization' && objectKey(sourceRefOf(item as unknown as Kustomization)) === source;
}

/** A job for each child. */
export async function sendChildren(run: Run, children: readonly KubernetesObject[]): Promise<void> {
  for (const item of children) noteIfNew(run.cluster, item);
  const { origin } = run.job;
  await enqueue(
    run.ctx,
    children.map((item) => ({
      job: reconcileJob(run.ctx, run.job.cluster, refOf(item), 'source', origin ? { origin } : {}),
    })),
  );
}
