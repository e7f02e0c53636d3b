import type { KubernetesObject } from '../../core/object.ts';
import { current, type Health, inProgress, text } from './health.ts';

/**
 * A Service is current at once; only one of type LoadBalancer waits for its cluster address. As in kstatus the address of
 * the load balancer itself is not waited for.
 */
export function serviceHealth(object: KubernetesObject): Health {
  if (text(object, 'spec', 'type') === 'LoadBalancer' && text(object, 'spec', 'clusterIP') === '') {
    return inProgress('it has no cluster address yet');
  }
  return current('ready');
}
