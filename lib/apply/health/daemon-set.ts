import type { KubernetesObject } from '../../core/object.ts';
import { current, type Health, inProgress, int } from './health.ts';

/**
 * A DaemonSet is current when its pods on all wanted nodes are of the newest template, available and ready. Its
 * controller always writes `observedGeneration`: without one it has not looked yet.
 */
export function daemonSetHealth(object: KubernetesObject): Health {
  if (object.metadata.generation === undefined || int(object, 'status', 'observedGeneration') === undefined) {
    return inProgress('its controller has not seen it yet');
  }
  const wanted = int(object, 'status', 'desiredNumberScheduled');
  if (wanted === undefined) return inProgress('the number of its pods is not known yet');
  for (const [label, field] of [
    ['scheduled', 'currentNumberScheduled'],
    ['updated', 'updatedNumberScheduled'],
    ['available', 'numberAvailable'],
    ['ready', 'numberReady'],
  ] as const) {
    const count = int(object, 'status', field) ?? 0;
    if (count < wanted) return inProgress(`${label}: ${count}/${wanted}`);
  }
  return current(`all pods ready: ${wanted}`);
}
