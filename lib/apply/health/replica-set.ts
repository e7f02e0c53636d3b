import type { KubernetesObject } from '../../core/object.ts';
import { conditionOf, current, type Health, inProgress, int, said } from './health.ts';

/** A ReplicaSet is current when all its replicas are available and no more than that run. */
export function replicaSetHealth(object: KubernetesObject): Health {
  const failure = conditionOf(object, 'ReplicaFailure');
  if (failure?.status === 'True') return inProgress(`pods cannot be made: ${said(failure)}`);
  const wanted = int(object, 'spec', 'replicas') ?? 1;
  for (const [label, field] of [
    ['labelled', 'fullyLabeledReplicas'],
    ['available', 'availableReplicas'],
    ['ready', 'readyReplicas'],
  ] as const) {
    const count = int(object, 'status', field) ?? 0;
    if (count < wanted) return inProgress(`${label}: ${count}/${wanted}`);
  }
  const replicas = int(object, 'status', 'replicas') ?? 0;
  if (replicas > wanted) return inProgress(`replicas still to end: ${replicas - wanted}`);
  return current(`available, replicas: ${replicas}`);
}
