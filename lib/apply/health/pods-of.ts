import type { KubernetesObject } from '../../core/object.ts';
import { failed, type Health } from './health.ts';
import { isUnschedulable, podHealth } from './pod.ts';

/** Kinds whose pods tell sooner than they do themselves that they will not become ready. */
const OWNERS: ReadonlySet<string> = new Set(['Deployment', 'StatefulSet', 'ReplicaSet']);

/** Whether looking at the pods (by `spec.selector`) can tell more of an object than its own status does. */
export function podsTellMore(object: KubernetesObject, health: Health): boolean {
  return health.status === 'InProgress' && object.apiVersion.startsWith('apps/') && OWNERS.has(object.kind);
}

/**
 * The health of a workload that is in progress, with what its pods say: it has failed when one of them has. Pods that
 * wait for a node (an autoscaler may bring one) or that are being deleted do not count.
 * @param pods the pods that its selector matches, in its namespace
 * @param now epoch in ms
 */
export function healthWithPods(health: Health, pods: readonly KubernetesObject[], now: number): Health {
  if (health.status !== 'InProgress') return health;
  const bad = pods
    .filter((pod) => !pod.metadata.deletionTimestamp && !isUnschedulable(pod))
    .map((pod) => ({ name: pod.metadata.name, health: podHealth(pod, now) }))
    .filter((pod) => pod.health.status === 'Failed');
  const first = bad[0];
  if (first === undefined) return health;
  const others = bad.length === 1 ? '' : ` (and ${bad.length - 1} more)`;
  return failed(`pod ${first.name}${others}: ${first.health.message}`);
}
