import type { ObjectRef } from '../core/object.ts';

/** The parts of a reference that name a Toolkit object within a cluster, whatever its API version. */
export type ToolkitRef = Pick<ObjectRef, 'group' | 'kind' | 'namespace' | 'name'>;

/** `Kustomization/flux-system/apps`: names a Toolkit object in the index; kinds of the Toolkit are unique without their group. */
export function objectKey(ref: Pick<ToolkitRef, 'kind' | 'namespace' | 'name'>): string {
  return `${ref.kind}/${ref.namespace}/${ref.name}`;
}

/** The key of an object at hand. */
export function keyOf(object: { kind: string; metadata: { namespace?: string; name: string } }): string {
  const { namespace = '', name } = object.metadata;
  return objectKey({ kind: object.kind, namespace, name });
}
