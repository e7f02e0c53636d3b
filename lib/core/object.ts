/** An entry of `metadata.managedFields`: which manager owns which fields. */
export interface ManagedFieldsEntry {
  manager?: string;
  operation?: 'Apply' | 'Update';
  subresource?: string;
  apiVersion?: string;
  time?: string;
  fieldsType?: string;
  fieldsV1?: Record<string, unknown>;
}

/** One entry of `metadata.ownerReferences`. */
export interface OwnerReference {
  apiVersion: string;
  kind: string;
  name: string;
  uid: string;
  controller?: boolean;
  blockOwnerDeletion?: boolean;
}

/** The part of `metadata` that Slipway reads; unknown fields are kept as they are. */
export interface ObjectMeta {
  name: string;
  namespace?: string;
  uid?: string;
  resourceVersion?: string;
  generation?: number;
  creationTimestamp?: string;
  deletionTimestamp?: string;
  labels?: Record<string, string>;
  annotations?: Record<string, string>;
  finalizers?: string[];
  ownerReferences?: OwnerReference[];
  managedFields?: ManagedFieldsEntry[];
  [field: string]: unknown;
}

/** Any Kubernetes object, as raw JSON: never through generated models, which would drop unknown fields. */
export interface KubernetesObject {
  apiVersion: string;
  kind: string;
  metadata: ObjectMeta;
  [field: string]: unknown;
}

/** Group, version and kind. The core group is the empty string. */
export interface GroupVersionKind {
  group: string;
  version: string;
  kind: string;
}

/** Names one object in one cluster. `namespace` is empty for cluster-scoped objects. */
export interface ObjectRef extends GroupVersionKind {
  namespace: string;
  name: string;
}

/** Splits `apps/v1` into group `apps` and version `v1`; `v1` has the empty group. */
export function parseApiVersion(apiVersion: string): { group: string; version: string } {
  const slash = apiVersion.indexOf('/');
  if (slash < 0) return { group: '', version: apiVersion };
  return { group: apiVersion.slice(0, slash), version: apiVersion.slice(slash + 1) };
}

/** Joins group and version to an `apiVersion`. */
export function formatApiVersion(gvk: { group: string; version: string }): string {
  return gvk.group === '' ? gvk.version : `${gvk.group}/${gvk.version}`;
}

/** Group, version and kind of an object. */
export function gvkOf(object: { apiVersion: string; kind: string }): GroupVersionKind {
  return { ...parseApiVersion(object.apiVersion), kind: object.kind };
}

/** The reference that names `object`. */
export function refOf(object: Pick<KubernetesObject, 'apiVersion' | 'kind' | 'metadata'>): ObjectRef {
  return { ...gvkOf(object), namespace: object.metadata.namespace ?? '', name: object.metadata.name };
}

/** `Deployment/apps/podinfo` (kind/namespace/name), or `Namespace/apps` for a cluster-scoped object: the form Flux prints. */
export function describe(ref: { kind: string; namespace?: string; name: string }): string {
  return ref.namespace ? `${ref.kind}/${ref.namespace}/${ref.name}` : `${ref.kind}/${ref.name}`;
}

/** A key that is equal exactly when group, kind, namespace and name are: the identity of an object over API versions. */
export function identityOf(ref: { group: string; kind: string; namespace: string; name: string }): string {
  return `${ref.group}/${ref.kind}/${ref.namespace}/${ref.name}`;
}
