import { parseDuration } from '../core/duration.ts';
import type { Kustomization } from './kustomization.ts';

const LEAST_TIMEOUT = 30_000;

/** `spec.interval` of a Toolkit object in ms. */
export function intervalOf(object: { spec: { interval: string } }): number {
  return parseDuration(object.spec.interval) ?? 0;
}

/** How soon a failed run is repeated, in ms: `retryInterval`, or `interval`. */
export function retryIntervalOf(object: { spec: { interval: string; retryInterval?: string } }): number {
  const { retryInterval } = object.spec;
  return (retryInterval === undefined ? undefined : parseDuration(retryInterval)) ?? intervalOf(object);
}

/** The limit of a run in ms: `timeout`, or 30 s less than `interval`; never under 30 s. */
export function timeoutOf(kustomization: Kustomization): number {
  const { timeout } = kustomization.spec;
  const given = timeout === undefined ? undefined : parseDuration(timeout);
  return Math.max(LEAST_TIMEOUT, given ?? intervalOf(kustomization) - LEAST_TIMEOUT);
}

/** What becomes of applied objects when the Kustomization is deleted; `MirrorPrune` is resolved by `prune`. */
export function deletionPolicyOf(kustomization: Kustomization): 'Delete' | 'WaitForTermination' | 'Orphan' {
  const policy = kustomization.spec.deletionPolicy ?? 'MirrorPrune';
  if (policy === 'MirrorPrune') return kustomization.spec.prune ? 'Delete' : 'Orphan';
  return policy;
}
