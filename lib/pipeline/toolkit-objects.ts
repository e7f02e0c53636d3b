import type { KubernetesObject } from '../core/object.ts';
import { identityOf, refOf } from '../core/object.ts';
import type { Kustomization } from '../toolkit/kustomization.ts';
import { enqueue, reconcileJob } from './enqueue.ts';
import { isReconciled } from './kinds.ts';
import { sourceRefOf } from './load-source.ts';
import { objectKey } from './object-key.ts';
import { addToRollout } from './rollout.ts';
import type { Run } from './run.ts';

/**
 * Toolkit objects among what was just applied are reconciled in turn, at once: this is how a root Kustomization brings
 * everything else. Those of the same source join the rollout before their parent leaves it.
 */
export async function sendAppliedToolkitObjects(
  run: Run,
  parent: Kustomization,
  objects: readonly KubernetesObject[],
): Promise<void> {
  const written = new Set(
    run.changes
      .filter(({ action }) => action === 'created' || action === 'configured')
      .map(({ ref }) => identityOf(ref)),
  );
  const own = refOf(parent as KubernetesObject);
  const children = objects.filter((item) => {
    const ref = refOf(item);
    return isReconciled(ref) && written.has(identityOf(ref)) && identityOf(ref) !== identityOf(own);
  });
  if (children.length === 0) return;
  const source = objectKey(sourceRefOf(parent));
  const members = children.filter(
    (item) =>
      item.kind === 'Kustomization' && objectKey(sourceRefOf(item as unknown as Kustomization)) === source,
  );
  await addToRollout(run, parent, members.map(refOf));
  const { origin } = run.job;
  await enqueue(
    run.ctx,
    children.map((item) => ({
      job: reconcileJob(run.ctx, run.job.cluster, refOf(item), 'source', origin ? { origin } : {}),
    })),
  );
}
