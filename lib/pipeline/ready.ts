import type { Condition } from '../core/conditions.ts';
import { getCondition } from '../core/conditions.ts';
import { REQUESTED_AT } from '../toolkit/annotations.ts';
import type { WithStatus } from './status.ts';

/** Whether the object is ready for the generation it has now. */
export function isReady(object: WithStatus): boolean {
  const ready = getCondition(object.status?.conditions as Condition[] | undefined, 'Ready');
  return ready?.status === 'True' && object.status?.observedGeneration === object.metadata.generation;
}

/** Whether somebody has asked for a run (`flux reconcile`) that no run has handled yet. */
export function hasUnhandledRequest(object: WithStatus): boolean {
  const requested = object.metadata.annotations?.[REQUESTED_AT];
  return requested !== undefined && requested !== object.status?.lastHandledReconcileAt;
}
