import type { Condition } from '../core/conditions.ts';
import { getCondition } from '../core/conditions.ts';
import { REQUESTED_AT } from '../toolkit/annotations.ts';
import type { WithStatus } from './status.ts';

/** Whether the object is ready for the generation it has now. */
export function isReady(object: WithStatus): boolean {
  const ready = getCondition(object.status?.conditions as Condition[] | undefined, 'Ready');
  return ready?.status === 'True' && object.status?.observedGeneration === object.metadata.generation;
}

/** Whether no run has come to an end yet: nothing is said of it in its status. */
export function isNew({ status }: WithStatus): boolean {
  return status?.conditions === undefined;
}

/** Whether the last run that came to an end did not succeed; one that does takes these conditions away. */
export function wasUnsuccessful({ status }: WithStatus): boolean {
  const conditions = status?.conditions as Condition[] | undefined;
  return ['Reconciling', 'Stalled'].some((type) => getCondition(conditions, type) !== undefined);
}

/** For how long an object has not been ready, in ms; 0 when it is, or was never looked at. */
export function notReadyMs({ status }: WithStatus, now: number): number {
  const ready = getCondition(status?.conditions as Condition[] | undefined, 'Ready');
  return ready?.status === 'False' ? Math.max(0, now - Date.parse(ready.lastTransitionTime)) : 0;
}

/** Whether somebody has asked for a run (`flux reconcile`) that no run has handled yet. */
export function hasUnhandledRequest(object: WithStatus): boolean {
  const requested = object.metadata.annotations?.[REQUESTED_AT];
  return requested !== undefined && requested !== object.status?.lastHandledReconcileAt;
}
