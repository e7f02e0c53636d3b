import { hasUnhandledRequest } from './ready.ts';
import type { WithStatus } from './status.ts';

/** Why an object must run because of what stands in the object itself. */
export function changeReason(object: WithStatus): 'deleted' | 'requested' | 'changed' | undefined {
  if (object.metadata.deletionTimestamp !== undefined) return 'deleted';
  if (isSuspended(object)) return undefined;
  if (hasUnhandledRequest(object)) return 'requested';
  const conditions = object.status?.conditions;
  const attempted =
    Array.isArray(conditions) &&
    conditions.some((condition) => condition.observedGeneration === object.metadata.generation);
  return attempted ? undefined : 'changed';
}

/** Whether somebody has suspended the object. */
export function isSuspended(object: WithStatus): boolean {
  return (object.spec as { suspend?: boolean } | undefined)?.suspend === true;
}
