import type { KubernetesObject } from '../core/object.ts';
import { parseApiVersion } from '../core/object.ts';

/** The order in which Flux applies native kinds. https://github.com/fluxcd/pkg/blob/main/ssa/sort.go */
const FIRST = [
  'CustomResourceDefinition',
  'Namespace',
  'ClusterRole',
  'ClusterClass',
  'RuntimeClass',
  'PriorityClass',
  'StorageClass',
  'VolumeSnapshotClass',
  'IngressClass',
  'GatewayClass',
  'ClusterRoleBinding',
  'ResourceQuota',
  'ServiceAccount',
  'Role',
  'RoleBinding',
  'ConfigMap',
  'Secret',
  'Service',
  'LimitRange',
  'Deployment',
  'StatefulSet',
  'CronJob',
  'PodDisruptionBudget',
];
const LAST = ['MutatingWebhookConfiguration', 'ValidatingWebhookConfiguration'];

const RANK = new Map<string, number>([
  ...FIRST.map((kind, index): [string, number] => [kind, index - FIRST.length]),
  ...LAST.map((kind, index): [string, number] => [kind, index + 1]),
]);

/** What is compared when objects are put in order. */
export interface Sortable {
  group: string;
  kind: string;
  namespace: string;
  name: string;
}

function compareText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

/** Puts kinds in Flux's apply order: by rank, then group, then kind. */
export function compareKinds(a: { group: string; kind: string }, b: { group: string; kind: string }): number {
  const rank = (RANK.get(a.kind) ?? 0) - (RANK.get(b.kind) ?? 0);
  return rank || compareText(a.group, b.group) || compareText(a.kind, b.kind);
}

/** Puts objects in Flux's apply order; deletion is the reverse. */
export function compareRefs(a: Sortable, b: Sortable): number {
  return compareKinds(a, b) || compareText(a.namespace, b.namespace) || compareText(a.name, b.name);
}

/** Definitions that others build on, then classes, then the rest. */
export type Stage = 'definitions' | 'classes' | 'resources';

/** The stages in the order in which they are applied. */
export const STAGES: readonly Stage[] = ['definitions', 'classes', 'resources'];

/** Which stage an object belongs to. */
export function stageOf(object: Pick<KubernetesObject, 'apiVersion' | 'kind'>): Stage {
  const { group } = parseApiVersion(object.apiVersion);
  switch (`${group}/${object.kind}`) {
    case 'apiextensions.k8s.io/CustomResourceDefinition':
    case '/Namespace':
    case 'rbac.authorization.k8s.io/ClusterRole':
      return 'definitions';
    default:
      return object.kind.endsWith('Class') ? 'classes' : 'resources';
  }
}
