import { X509Certificate } from 'node:crypto';
import { ReconcileError } from '../core/errors.ts';
import type { KubernetesObject, ObjectMeta } from '../core/object.ts';
import { describe, parseApiVersion } from '../core/object.ts';
import { ownerLabels } from './ownership.ts';
import { isMap, type JsonMap, valueAt, withValueAt } from './pointer.ts';
import type { Owner } from './types.ts';

/** Groups whose objects the API server reads into its own types, where `null` means the same as not given. */
const NATIVE = new Set(['', 'apps', 'autoscaling', 'batch', 'policy', 'extensions']);
const NATIVE_K8S = new Set(
  [
    'admissionregistration authentication authorization certificates coordination discovery events',
    'flowcontrol.apiserver networking node resource scheduling storage storagemigration',
  ]
    .join(' ')
    .split(' ')
    .map((name) => `${name}.k8s.io`),
);

/** Where pods stand in the native kinds that make them. */
const POD_SPECS: Readonly<Record<string, readonly string[]>> = {
  '/Pod': ['spec'],
  'apps/Deployment': ['spec', 'template', 'spec'],
  'apps/StatefulSet': ['spec', 'template', 'spec'],
  'apps/DaemonSet': ['spec', 'template', 'spec'],
  'apps/ReplicaSet': ['spec', 'template', 'spec'],
  'batch/Job': ['spec', 'template', 'spec'],
  'batch/CronJob': ['spec', 'jobTemplate', 'spec', 'template', 'spec'],
};

/** What only a server sets; manifests exported from a cluster contain it and would be refused. */
const SERVER_METADATA = [
  'creationTimestamp',
  'deletionGracePeriodSeconds',
  'deletionTimestamp',
  'generation',
  'managedFields',
  'resourceVersion',
  'selfLink',
  'uid',
];

/**
 * The object as it is sent: with the owner's labels, without status and what only servers set, `stringData` folded into `data`
 * (server-side apply would otherwise never remove a key), port protocols filled in (they are part of a port's identity).
 * Nothing else is added or dropped. The object given is not changed.
 * @throws ReconcileError `BuildFailed` (stall) when labels, annotations or secret data have the wrong shape
 */
export function normalize(object: KubernetesObject, owner: Owner): KubernetesObject {
  const { group } = parseApiVersion(object.apiVersion);
  const { status: _status, ...body } = object;
  let result: KubernetesObject = { ...body, metadata: normalizeMetadata(object, owner) } as KubernetesObject;
  if (NATIVE.has(group) || NATIVE_K8S.has(group)) result = dropNulls(result) as KubernetesObject;
  if (group === '' && object.kind === 'Secret') result = foldStringData(result);
  if (group === '' && object.kind === 'Service') result = withProtocols(result, ['spec', 'ports']);
  if (group === 'apiextensions.k8s.io') result = withoutBrokenCaBundle(result);
  const podSpec = POD_SPECS[`${group}/${object.kind}`];
  return podSpec ? withContainerProtocols(result, podSpec) : result;
}

function normalizeMetadata(object: KubernetesObject, owner: Owner): ObjectMeta {
  for (const field of ['labels', 'annotations'] as const) {
    const value: unknown = object.metadata[field] ?? {};
    const wrong = isMap(value) ? Object.entries(value).find(([, each]) => typeof each !== 'string')?.[0] : '';
    if (wrong === undefined) continue;
    const where =
      wrong === '' ? `metadata.${field} must be a map` : `metadata.${field}["${wrong}"] must be a text`;
    throw new ReconcileError('BuildFailed', `${nameOf(object)}: ${where}; put the value in quotes`, {
      outcome: 'stall',
    });
  }
  const metadata: ObjectMeta = {
    ...object.metadata,
    labels: { ...object.metadata.labels, ...ownerLabels(owner) },
  };
  for (const field of SERVER_METADATA) delete metadata[field];
  if (!isMap(metadata.annotations)) delete metadata.annotations;
  return metadata;
}

function nameOf(object: KubernetesObject): string {
  return describe({
    kind: object.kind,
    namespace: object.metadata.namespace ?? '',
    name: object.metadata.name,
  });
}

/** Members that are null, at any depth, are left out; items of lists stay. */
function dropNulls(value: unknown): unknown {
  if (Array.isArray(value)) {
    const items = value.map(dropNulls);
    return items.some((item, index) => item !== value[index]) ? items : value;
  }
  if (!isMap(value)) return value;
  let result: JsonMap | undefined;
  for (const [key, member] of Object.entries(value)) {
    const next = dropNulls(member);
    if (next === member && next !== null) continue;
    result ??= { ...value };
    if (next === null) delete result[key];
    else result[key] = next;
  }
  return result ?? value;
}

function foldStringData(secret: KubernetesObject): KubernetesObject {
  const { stringData, ...rest } = secret as KubernetesObject & { stringData?: unknown; data?: unknown };
  if (stringData === undefined) return secret;
  if (!isMap(stringData) || (rest.data !== undefined && !isMap(rest.data)))
    throw new ReconcileError('BuildFailed', `${nameOf(secret)}: data and stringData must be maps`, {
      outcome: 'stall',
    });
  const folded = Object.entries(stringData).map(([key, value]): [string, string] => {
    if (typeof value === 'string') return [key, Buffer.from(value, 'utf8').toString('base64')];
    throw new ReconcileError(
      'BuildFailed',
      `${nameOf(secret)}: stringData["${key}"] must be a text; put the value in quotes`,
      { outcome: 'stall' },
    );
  });
  return { ...rest, data: { ...(rest.data as JsonMap | undefined), ...Object.fromEntries(folded) } };
}

function withContainerProtocols(object: KubernetesObject, podSpec: readonly string[]): KubernetesObject {
  return ['containers', 'initContainers'].reduce((result, field) => {
    const containers = valueAt(result, [...podSpec, field]);
    if (!Array.isArray(containers)) return result;
    return containers.reduce(
      (each: KubernetesObject, _container, index) =>
        withProtocols(each, [...podSpec, field, String(index), 'ports']),
      result,
    );
  }, object);
}

function withProtocols(object: KubernetesObject, path: readonly string[]): KubernetesObject {
  const ports = valueAt(object, path);
  if (!Array.isArray(ports) || ports.every((port) => !isMap(port) || port.protocol)) return object;
  const filled = ports.map((port) => (isMap(port) && !port.protocol ? { ...port, protocol: 'TCP' } : port));
  return withValueAt(object, path, filled);
}

/** Placeholder bundles (cert-manager's injector fills them in) are refused by Kubernetes 1.31 and newer. */
function withoutBrokenCaBundle(object: KubernetesObject): KubernetesObject {
  const path = ['spec', 'conversion', 'webhook', 'clientConfig', 'caBundle'];
  const bundle = valueAt(object, path);
  if (typeof bundle !== 'string' || isCertificate(bundle)) return object;
  return withValueAt(object, path, undefined);
}

function isCertificate(base64: string): boolean {
  try {
    return new X509Certificate(Buffer.from(base64, 'base64')).subject !== undefined;
  } catch {
    return false;
  }
}
