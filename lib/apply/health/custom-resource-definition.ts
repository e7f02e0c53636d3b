import type { KubernetesObject } from '../../core/object.ts';
import { conditionOf, current, failed, type Health, inProgress, said } from './health.ts';

/**
 * A CRD is current when the API server serves it, and fails when its names are taken.
 * @see https://kubernetes.io/docs/tasks/extend-kubernetes/custom-resources/custom-resource-definitions/
 */
export function customResourceDefinitionHealth(object: KubernetesObject): Health {
  const names = conditionOf(object, 'NamesAccepted');
  if (names?.status === 'False') return failed(`its names are not accepted: ${said(names)}`);
  const established = conditionOf(object, 'Established');
  if (established?.status === 'True') return current('established');
  if (established?.status === 'False' && established.reason !== 'Installing') {
    return failed(`not established: ${said(established)}`);
  }
  return inProgress('being installed');
}
