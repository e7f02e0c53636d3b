import type { KubernetesObject } from '../core/object.ts';
import { identityOf, refOf } from '../core/object.ts';
import type { Kustomization } from '../toolkit/kustomization.ts';
import { changeReason } from './change-reason.ts';
import { enqueue, reconcileJob } from './enqueue.ts';
import { isReconciled } from './kinds.ts';
import { sourceRefOf } from './load-source.ts';
import { objectKey } from './object-key.ts';
import { isReady } from './ready.ts';
import { addToRollout } from './rollout.ts';
import type { Run } from './run.ts';
import type { WithStatus } from './status.ts';

/**
 * The Toolkit objects among what was just applied that are to be reconciled in turn: this is how a root Kustomization brings
 * everything else. Those are what this run has written, and what is not ready: a run that was cut off may have written it.
 * @param applied as the server has it; metadata alone where nothing had to be looked at
 */
export function childrenOf(
  run: Run,
  parent: Kustomization,
  applied: readonly KubernetesObject[],
): KubernetesObject[] {
  const written = new Set(
    run.changes
      .filter(({ action }) => action === 'created' || action === 'configured')
      .map(({ ref }) => identityOf(ref)),
  );
  const own = identityOf(refOf(parent as KubernetesObject));
  return applied.filter((item) => {
    const ref = refOf(item);
    if (!isReconciled(ref) || identityOf(ref) === own) return false;
    return written.has(identityOf(ref)) || (item.spec !== undefined && isUnsettled(item));
  });
}

function isUnsettled(object: WithStatus): boolean {
  return changeReason(object) !== undefined || !isReady(object);
}

/**
 * Children of the parent's own source join its rollout; before the parent leaves it, so that no commit is green too early.
 * @param revision what the parent has just applied
 */
export async function joinRollout(
  run: Run,
  parent: Kustomization,
  revision: string,
  children: readonly KubernetesObject[],
): Promise<void> {
  const source = objectKey(sourceRefOf(parent));
  const members = children.filter(
    (item) =>
      item.kind === 'Kustomization' && objectKey(sourceRefOf(item as unknown as Kustomization)) === source,
  );
  await addToRollout(run, parent, revision, members.map(refOf));
}

/** A job for each child. */
export async function sendChildren(run: Run, children: readonly KubernetesObject[]): Promise<void> {
  const { origin } = run.job;
  await enqueue(
    run.ctx,
    children.map((item) => ({
      job: reconcileJob(run.ctx, run.job.cluster, refOf(item), 'source', origin ? { origin } : {}),
    })),
  );
}
