import type { KubernetesObject } from '../../core/object.ts';
import { conditionOf, current, failed, type Health, inProgress, int } from './health.ts';

/** A Deployment without a deadline: the API server's default is 600 s, and this number switches the deadline off. */
const NO_DEADLINE = 2_147_483_647;

/**
 * A Deployment is current when all its replicas are of the newest template and available, old ones are gone, and its
 * conditions agree. It fails when it makes no progress within `progressDeadlineSeconds`.
 * @see https://kubernetes.io/docs/concepts/workloads/controllers/deployment/#deployment-status
 */
export function deploymentHealth(object: KubernetesObject): Health {
  const progressing = conditionOf(object, 'Progressing');
  if (progressing?.reason === 'ProgressDeadlineExceeded') {
    return failed(`progress deadline exceeded: ${progressing.message}`);
  }
  const wanted = int(object, 'spec', 'replicas') ?? 1;
  const replicas = int(object, 'status', 'replicas') ?? 0;
  const updated = int(object, 'status', 'updatedReplicas') ?? 0;
  const ready = int(object, 'status', 'readyReplicas') ?? 0;
  const available = int(object, 'status', 'availableReplicas') ?? 0;
  if (replicas < wanted) return inProgress(`replicas: ${replicas}/${wanted}`);
  if (updated < wanted) return inProgress(`updated: ${updated}/${wanted}`);
  if (replicas > wanted) return inProgress(`old replicas still to end: ${replicas - wanted}`);
  if (available < updated) return inProgress(`available: ${available}/${updated}`);
  if (ready < wanted) return inProgress(`ready: ${ready}/${wanted}`);
  const deadline = int(object, 'spec', 'progressDeadlineSeconds') ?? NO_DEADLINE;
  const rolledOut = progressing?.status === 'True' && progressing.reason === 'NewReplicaSetAvailable';
  // Without a deadline the controller writes no Progressing condition.
  if (deadline !== NO_DEADLINE && !rolledOut) return inProgress('its newest ReplicaSet is not available');
  if (conditionOf(object, 'Available')?.status !== 'True') return inProgress('not available');
  return current(`available, replicas: ${replicas}`);
}
