import { messageOf, ReconcileError } from '../core/errors.ts';
import type { KubernetesObject } from '../core/object.ts';
import { describe, refOf } from '../core/object.ts';
import { KubeError } from '../kube/errors.ts';
import { isMap } from './pointer.ts';

/** Why one object could not be applied or deleted. */
export interface Failure {
  object: KubernetesObject;
  error: KubeError | ReconcileError;
}

/** So many objects get their whole message; the rest are named. */
const SPELLED_OUT = 20;

/** The values in a Secret, which servers may echo in their refusals. */
export function secretValues(object: KubernetesObject): string[] {
  if (object.kind !== 'Secret' || !isMap(object.data)) return [];
  return Object.values(object.data).flatMap((value) => {
    if (typeof value !== 'string') return [];
    return [value, Buffer.from(value, 'base64').toString('utf8')];
  });
}

/** What the server said, without the request. */
export function serverSays(error: KubeError): string {
  return error.status?.message ?? error.message;
}

/**
 * One error for all objects that failed, each named with its reason, as Flux prints them.
 * @param what what failed, such as `dry-run failed`
 */
export function failuresError(reason: string, what: string, failures: readonly Failure[]): ReconcileError {
  const lines = failures.slice(0, SPELLED_OUT).map(({ object, error }) => {
    const name = describe(refOf(object));
    if (error instanceof ReconcileError) return error.message;
    const kind = error.reason ? ` (${error.reason})` : '';
    return `${name} ${what}${kind}: ${serverSays(error)}`;
  });
  const others = failures.slice(SPELLED_OUT).map(({ object }) => describe(refOf(object)));
  if (others.length > 0) lines.push(`and ${others.length} more: ${others.join(', ')}`);
  const waits = failures.map(({ error }) => error.retryAfter ?? 0);
  const [first] = failures;
  const allStall = failures.every(
    ({ error }) => error instanceof ReconcileError && error.outcome === 'stall',
  );
  return new ReconcileError(
    first?.error instanceof ReconcileError && failures.length === 1 ? first.error.reason : reason,
    lines.join('\n'),
    {
      outcome: allStall ? 'stall' : 'retry',
      secrets: failures.flatMap(({ object }) => secretValues(object)),
      ...(Math.max(...waits) > 0 ? { retryAfter: Math.max(...waits) } : {}),
    },
  );
}

/** Whether an error belongs to one object, so that the others are still worth trying. */
export function isFailure(error: unknown): error is KubeError | ReconcileError {
  return error instanceof KubeError || error instanceof ReconcileError;
}

/** The text of any error about an object, without the object's secrets. */
export function failureText(object: KubernetesObject, error: unknown): string {
  return new ReconcileError('Failed', messageOf(error), { secrets: secretValues(object) }).message;
}
