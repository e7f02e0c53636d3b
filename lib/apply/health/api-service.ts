import type { KubernetesObject } from '../../core/object.ts';
import { conditionOf, current, type Health, inProgress, said } from './health.ts';

/**
 * An APIService is current when the server behind it answers. (kstatus has no rule for it and would call it current at
 * once, while everything of its group fails.)
 * @see https://kubernetes.io/docs/concepts/extend-kubernetes/api-extension/apiserver-aggregation/
 */
export function apiServiceHealth(object: KubernetesObject): Health {
  const available = conditionOf(object, 'Available');
  if (available?.status === 'True') return current('available');
  return inProgress(available ? `not available: ${said(available)}` : 'not seen by the cluster yet');
}
