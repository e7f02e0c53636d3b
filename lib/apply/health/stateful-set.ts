import type { KubernetesObject } from '../../core/object.ts';
import { current, type Health, inProgress, int, text } from './health.ts';

/**
 * A StatefulSet is current when all replicas are ready and, but for its partition, of the newest revision. With the
 * `OnDelete` strategy somebody else decides when pods are replaced, so it counts as current at once.
 * @see https://kubernetes.io/docs/concepts/workloads/controllers/statefulset/#update-strategies
 */
export function statefulSetHealth(object: KubernetesObject): Health {
  if (text(object, 'spec', 'updateStrategy', 'type') === 'OnDelete')
    return current('updated by hand (OnDelete)');
  const wanted = int(object, 'spec', 'replicas') ?? 1;
  const replicas = int(object, 'status', 'replicas') ?? 0;
  const ready = int(object, 'status', 'readyReplicas') ?? 0;
  const updated = int(object, 'status', 'updatedReplicas') ?? 0;
  if (replicas < wanted) return inProgress(`replicas: ${replicas}/${wanted}`);
  if (ready < wanted) return inProgress(`ready: ${ready}/${wanted}`);
  if (replicas > wanted) return inProgress(`replicas still to end: ${replicas - wanted}`);
  const partition = int(object, 'spec', 'updateStrategy', 'rollingUpdate', 'partition');
  if (partition !== undefined) {
    const due = wanted - partition;
    return updated < due
      ? inProgress(`updated: ${updated}/${due}`)
      : current(`updated down to its partition: ${updated}`);
  }
  const atCurrent = int(object, 'status', 'currentReplicas') ?? 0;
  if (atCurrent < wanted) return inProgress(`at the current revision: ${atCurrent}/${wanted}`);
  if (text(object, 'status', 'currentRevision') !== text(object, 'status', 'updateRevision')) {
    return inProgress('its newest revision is not the current one yet');
  }
  return current(`all replicas ready: ${replicas}`);
}
