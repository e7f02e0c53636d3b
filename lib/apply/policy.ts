import type { ObjectMeta } from '../core/object.ts';

/**
 * Whether a label or annotation `<group>/<key>` has a value; case does not matter.
 * https://fluxcd.io/flux/components/kustomize/kustomizations/#controlling-the-apply-behavior-of-resources
 */
function says(metadata: ObjectMeta | undefined, key: string, value: string): boolean {
  const wanted = value.toLowerCase();
  return [metadata?.labels?.[key], metadata?.annotations?.[key]].some(
    (found) => typeof found === 'string' && found.toLowerCase() === wanted,
  );
}

/** `reconcile: disabled` or `ssa: Ignore`: the object is left alone, whether the manifest or the cluster says so. */
export function isExcluded(group: string, ...metadata: (ObjectMeta | undefined)[]): boolean {
  return metadata.some(
    (each) => says(each, `${group}/reconcile`, 'disabled') || says(each, `${group}/ssa`, 'Ignore'),
  );
}

/** `ssa: IfNotPresent` in the manifest: created once, never changed. */
export function isCreateOnly(group: string, desired: ObjectMeta): boolean {
  return says(desired, `${group}/ssa`, 'IfNotPresent');
}

/** `ssa: Merge`: fields of kubectl are kept. */
export function isMerged(group: string, ...metadata: (ObjectMeta | undefined)[]): boolean {
  return metadata.some((each) => says(each, `${group}/ssa`, 'Merge'));
}

/** `force: Enabled`: may be deleted and created again. */
export function isForced(group: string, ...metadata: (ObjectMeta | undefined)[]): boolean {
  return metadata.some((each) => says(each, `${group}/force`, 'Enabled'));
}

/** `prune: Disabled`, `reconcile: disabled` or `ssa: Ignore`: never deleted. */
export function isKept(group: string, live: ObjectMeta): boolean {
  return isExcluded(group, live) || says(live, `${group}/prune`, 'Disabled');
}
