import type { KubernetesObject, ObjectMeta, ObjectRef } from '../core/object.ts';
import { parseApiVersion } from '../core/object.ts';
import type { FleetCluster } from '../fleet/cluster.ts';
import { PART_OF } from './annotations.ts';
import { isToolkitGroup } from './registry.ts';

/** The namespace and the name of the root source and the root Kustomization, as `flux bootstrap` calls them. */
export const ROOT_NAMESPACE = 'flux-system';
export const ROOT_NAME = 'flux-system';

/** How often the root is compared with the cluster: as in repositories made by `flux bootstrap`. */
const ROOT_INTERVAL = '10m0s';

/** What a Flux installation consists of, beside its namespace and its CustomResourceDefinitions. */
const INSTALLATION: Readonly<Record<string, readonly string[]>> = {
  '': ['Service', 'ServiceAccount', 'ResourceQuota'],
  apps: ['Deployment'],
  'networking.k8s.io': ['NetworkPolicy'],
  'rbac.authorization.k8s.io': ['ClusterRole', 'ClusterRoleBinding', 'Role', 'RoleBinding'],
};

interface Identified {
  apiVersion: string;
  kind: string;
  metadata: ObjectMeta;
}

/**
 * Whether an object is a part of Flux itself as `flux bootstrap` and `flux install` commit it (`gotk-components.yaml`): it is neither
 * applied nor deleted, since what it does is done from outside. Flux's CustomResourceDefinitions and its namespace are not meant.
 */
export function isFluxController(object: Identified): boolean {
  if (object.metadata.labels?.[PART_OF] !== 'flux') return false;
  const { group } = parseApiVersion(object.apiVersion);
  return INSTALLATION[group]?.includes(object.kind) === true;
}

/** Whether an object is the CustomResourceDefinition of a Toolkit kind; deleting it would delete all objects of the kind. */
export function isToolkitCrd(object: {
  apiVersion: string;
  kind: string;
  metadata: { name: string };
}): boolean {
  const { group } = parseApiVersion(object.apiVersion);
  return isToolkitCrdRef({ group, kind: object.kind, name: object.metadata.name });
}

/** Whether an inventory entry must never be pruned: Toolkit CustomResourceDefinitions, the root objects and their namespace. */
export function isNeverPruned(ref: Pick<ObjectRef, 'group' | 'kind' | 'namespace' | 'name'>): boolean {
  if (isToolkitCrdRef(ref)) return true;
  if (ref.group === '' && ref.kind === 'Namespace') return ref.name === ROOT_NAMESPACE;
  return isRoot(ref);
}

/** Whether a reference names the root source or the root Kustomization of a cluster. */
export function isRoot(ref: Pick<ObjectRef, 'group' | 'kind' | 'namespace' | 'name'>): boolean {
  if (ref.namespace !== ROOT_NAMESPACE || ref.name !== ROOT_NAME) return false;
  return (
    (ref.group === 'source.toolkit.fluxcd.io' && ref.kind === 'GitRepository') ||
    (ref.group === 'kustomize.toolkit.fluxcd.io' && ref.kind === 'Kustomization')
  );
}

/** The objects that start everything in a cluster: namespace, root source and root Kustomization, in the order to apply them. */
export function rootObjects(cluster: Pick<FleetCluster, 'source'>): KubernetesObject[] {
  const { url, interval, path, prune, branch, tag, semver, name, commit } = cluster.source;
  const given = { branch, tag, semver, name, commit };
  const entries = Object.entries(given).filter(([, value]) => value !== undefined);
  const ref = entries.length === 0 ? { branch: 'main' } : Object.fromEntries(entries);
  const metadata = { name: ROOT_NAME, namespace: ROOT_NAMESPACE };
  return [
    { apiVersion: 'v1', kind: 'Namespace', metadata: { name: ROOT_NAMESPACE } },
    {
      apiVersion: 'source.toolkit.fluxcd.io/v1',
      kind: 'GitRepository',
      metadata,
      spec: { interval, ref, url },
    },
    {
      apiVersion: 'kustomize.toolkit.fluxcd.io/v1',
      kind: 'Kustomization',
      metadata: { ...metadata },
      spec: {
        interval: ROOT_INTERVAL,
        path,
        prune,
        sourceRef: { kind: 'GitRepository', name: ROOT_NAME },
      },
    },
  ];
}

function isToolkitCrdRef({ group, kind, name }: Pick<ObjectRef, 'group' | 'kind' | 'name'>): boolean {
  if (group !== 'apiextensions.k8s.io' || kind !== 'CustomResourceDefinition') return false;
  return isToolkitGroup(name.slice(name.indexOf('.') + 1));
}
