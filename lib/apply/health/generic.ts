import type { KubernetesObject } from '../../core/object.ts';
import { conditionOf, conditionsOf, current, failed, type Health, inProgress, int, said } from './health.ts';

/**
 * What can be said of any kind before its own rule is asked: it is being deleted, its newest generation has not been
 * seen, or it carries one of the conditions that kstatus defines.
 * @returns undefined when the kind's own rule decides
 * @see https://github.com/kubernetes-sigs/cli-utils/blob/master/pkg/kstatus/README.md
 */
export function genericHealth(object: KubernetesObject): Health | undefined {
  if (object.metadata.deletionTimestamp) return { status: 'Terminating', message: 'it is being deleted' };
  const { generation } = object.metadata;
  const observed = int(object, 'status', 'observedGeneration');
  if (generation !== undefined && observed !== undefined && observed !== generation) {
    return inProgress(`generation ${generation} has not been observed yet, only ${observed}`);
  }
  for (const condition of conditionsOf(object)) {
    if (condition.status !== 'True') continue;
    if (condition.type === 'Reconciling') return inProgress(said(condition));
    if (condition.type === 'Stalled') return failed(said(condition));
  }
  return undefined;
}

/** The rule for kinds without one: its Ready condition, and without one it is current. */
export function readyHealth(object: KubernetesObject): Health {
  const ready = conditionOf(object, 'Ready');
  if (ready?.status === 'True') return current('ready');
  if (ready?.status === 'False' || ready?.status === 'Unknown') return inProgress(said(ready));
  return current('exists');
}

/** Kinds that have nothing to wait for. */
export function alwaysCurrent(_object: KubernetesObject): Health {
  return current('exists');
}
