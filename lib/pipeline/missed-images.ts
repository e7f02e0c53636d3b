import { formatImage } from '../image/setters.ts';
import type { ImagePolicy } from '../toolkit/image-policy.ts';
import type { ImageUpdateAutomation } from '../toolkit/image-update-automation.ts';
import { isSuspended } from './change-reason.ts';
import { keyOf } from './object-key.ts';
import { isReady } from './ready.ts';
import type { WithStatus } from './status.ts';

/**
 * Automations that have not seen what a policy has chosen, however that came about. Those that have failed try again by themselves.
 * @param objects all Toolkit objects of a cluster
 * @returns what each of them has missed, by its key
 */
export function missedImages(objects: readonly WithStatus[]): Map<string, string> {
  const policies = Map.groupBy(
    objects.filter(({ kind }) => kind === 'ImagePolicy') as unknown as ImagePolicy[],
    ({ metadata }) => metadata.namespace ?? '',
  );
  const missed = new Map<string, string>();
  for (const object of objects) {
    if (object.kind !== 'ImageUpdateAutomation' || isSuspended(object) || !isReady(object)) continue;
    const own = policies.get(object.metadata.namespace ?? '') ?? [];
    const unseen = own.filter(
      (policy) => policy.status?.latestRef && isKnownTo(object, policy) && !hasSeen(object, policy),
    );
    if (unseen.length > 0) missed.set(keyOf(object), unseen.map(imageOf).join(' '));
  }
  return missed;
}

/** Without a selector it knows all policies; with one, those that it has seen: new ones are found at its interval. */
function isKnownTo(automation: WithStatus, { metadata }: ImagePolicy): boolean {
  const { spec, status } = automation as unknown as ImageUpdateAutomation;
  return spec.policySelector === undefined || status?.observedPolicies?.[metadata.name] !== undefined;
}

function hasSeen(automation: WithStatus, policy: ImagePolicy): boolean {
  const { status } = automation as unknown as ImageUpdateAutomation;
  const seen = status?.observedPolicies?.[policy.metadata.name];
  return seen !== undefined && formatImage(seen) === imageOf(policy);
}

function imageOf({ status }: ImagePolicy): string {
  return status?.latestRef ? formatImage(status.latestRef) : '';
}
