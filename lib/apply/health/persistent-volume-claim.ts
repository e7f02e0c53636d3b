import type { KubernetesObject } from '../../core/object.ts';
import { current, type Health, inProgress, text } from './health.ts';

/** A claim is current when it is bound. A class that binds with its first consumer therefore keeps it in progress. */
export function persistentVolumeClaimHealth(object: KubernetesObject): Health {
  const phase = text(object, 'status', 'phase');
  return phase === 'Bound' ? current('bound') : inProgress(`not bound, phase: ${phase || 'unknown'}`);
}
