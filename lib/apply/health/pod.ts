import type { KubernetesObject } from '../../core/object.ts';
import { at, conditionOf, current, failed, type Health, inProgress, text } from './health.ts';

/** How long a new pod may be unschedulable before that counts as a failure, in ms: the scheduler needs some tries. */
const SCHEDULE_WINDOW = 15_000;

/**
 * A pod is current when it is ready or has ended, however it ended; it fails when a container crashes again and again or
 * no node can take it.
 * @see https://kubernetes.io/docs/concepts/workloads/pods/pod-lifecycle/
 */
export function podHealth(object: KubernetesObject, now: number | undefined): Health {
  const phase = text(object, 'status', 'phase');
  switch (phase) {
    case 'Succeeded':
      return current('completed');
    case 'Failed':
      return current('completed, but not successfully');
    case 'Running':
      return runningHealth(object);
    case 'Pending':
      return pendingHealth(object, now);
    case '':
      return inProgress('not seen by the cluster yet');
    default:
      return { status: 'Unknown', message: `unknown phase ${phase}` };
  }
}

function runningHealth(object: KubernetesObject): Health {
  if (conditionOf(object, 'Ready')?.status === 'True') return current('ready');
  const crashing = crashLooping(object);
  if (crashing.length > 0) return failed(`containers that crash again and again: ${crashing.join(', ')}`);
  return inProgress('running, but not ready');
}

function pendingHealth(object: KubernetesObject, now: number | undefined): Health {
  if (!isUnschedulable(object)) return inProgress('pending');
  const created = Date.parse(object.metadata.creationTimestamp ?? '');
  if (now === undefined || now - created < SCHEDULE_WINDOW) return inProgress('not scheduled yet');
  return failed(`no node can take it: ${conditionOf(object, 'PodScheduled')?.message ?? ''}`);
}

/** Whether the scheduler has found no node for a pod. */
export function isUnschedulable(object: KubernetesObject): boolean {
  const scheduled = conditionOf(object, 'PodScheduled');
  return scheduled?.status === 'False' && scheduled.reason === 'Unschedulable';
}

function crashLooping(object: KubernetesObject): string[] {
  const containers = at(object, ['status', 'containerStatuses']);
  if (!Array.isArray(containers)) return [];
  return (containers as ContainerStatus[])
    .filter((container) => container?.state?.waiting?.reason === 'CrashLoopBackOff')
    .map(({ name }) => name ?? '?');
}

interface ContainerStatus {
  name?: string;
  state?: { waiting?: { reason?: string } };
}
