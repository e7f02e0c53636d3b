import type { KubernetesObject } from '../core/object.ts';
import { KubeError } from '../kube/errors.ts';

/**
 * How API servers, admission webhooks and CEL rules say that a field cannot be changed in place.
 * https://github.com/kubernetes/kubernetes/tree/master/pkg/apis (validation), https://kubernetes.io/blog/2022/09/29/enforce-immutability-using-cel
 */
const IMMUTABLE = [
  /\bis immutable\b/i,
  /\bimmutable field\b/i,
  /\bfield is immutable\b/i,
  /\bmay not change once set\b/i,
  /\bmay not be (changed|updated) in an update\b/i,
  /\bmay not be changed\b/i,
  /\bcannot change roleRef\b/i,
  /\bcan(not| ?not|'t) be (changed|updated|modified)\b/i,
  /\bupdates to \S+( \S+)* are forbidden\b/i,
  /\bupdates to statefulset spec for fields other than\b/i,
  /\bpod updates may not change fields other than\b/i,
  /\bUpdating? .* is forbidden\b/i,
];

/**
 * Whether the server refused a change because a field cannot be changed in place. What it says of a Secret is withheld by the
 * client, so there the live object decides: it is sealed (`immutable: true`), or its type would change.
 */
export function isImmutable(error: unknown, live?: KubernetesObject, desired?: KubernetesObject): boolean {
  if (!(error instanceof KubeError) || error.code < 400 || error.code >= 500) return false;
  if (live?.kind === 'Secret' && error.code === 422) {
    return live.immutable === true || live.type !== (desired?.type ?? 'Opaque');
  }
  return IMMUTABLE.some(
    (pattern) => pattern.test(error.message) || pattern.test(error.status?.message ?? ''),
  );
}
