import type { ObjectMeta } from '../core/object.ts';
import type { Owner } from './types.ts';

/** The labels that mark an object as applied by `owner`. */
export function ownerLabels(owner: Owner): Record<string, string> {
  return { [`${owner.group}/name`]: owner.name, [`${owner.group}/namespace`]: owner.namespace };
}

/** A label selector for everything that carries the owner's labels. */
export function ownerSelector(owner: Owner): string {
  return Object.entries(ownerLabels(owner))
    .map(([key, value]) => `${key}=${value}`)
    .join(',');
}

/** Whether an object's labels name exactly this owner. */
export function isOwnedBy(metadata: ObjectMeta, owner: Owner): boolean {
  return Object.entries(ownerLabels(owner)).every(([key, value]) => metadata.labels?.[key] === value);
}

/** The other object of the owner's group that the labels name; undefined when there is none or it is `owner` itself. */
export function otherOwner(
  metadata: ObjectMeta,
  owner: Owner,
): { name: string; namespace: string } | undefined {
  const name = metadata.labels?.[`${owner.group}/name`];
  const namespace = metadata.labels?.[`${owner.group}/namespace`];
  if (!name || !namespace) return undefined;
  return name === owner.name && namespace === owner.namespace ? undefined : { name, namespace };
}
