import type { KubernetesObject } from '../core/object.ts';
import { formatApiVersion } from '../core/object.ts';
import { FINALIZER } from '../toolkit/annotations.ts';
import { isSuspended } from './change-reason.ts';
import type { ClusterConnection } from './context.ts';
import { kinds } from './kinds.ts';
import { keyOf } from './object-key.ts';
import { isNew } from './ready.ts';
import type { WithStatus } from './status.ts';

/** How many are kept in mind a cluster; the oldest are forgotten beyond, and read again by their runs. */
const MAX_KEPT = 5_000;

const kept = new WeakMap<ClusterConnection, Map<string, WithStatus>>();

/**
 * Keeps an object in mind that no run has looked at yet, as a list or its creation has just shown it, so that its first run need not read
 * it again. That run's first write, of the finalizer, carries this resourceVersion: the server refuses it when the object has
 * changed since, and then it is read after all.
 */
export function noteIfNew(cluster: ClusterConnection, object: KubernetesObject): void {
  const { finalizers = [], deletionTimestamp, resourceVersion } = object.metadata;
  if (resourceVersion === undefined || object.spec === undefined || deletionTimestamp !== undefined) return;
  const kind = kinds[object.kind];
  // A run reads its own version.
  if (!kind || object.apiVersion !== formatApiVersion(kind)) return;
  if (!isNew(object) || finalizers.includes(FINALIZER) || isSuspended(object)) return;
  const known = kept.get(cluster) ?? new Map<string, WithStatus>();
  kept.set(cluster, known);
  const key = keyOf(object);
  const { managedFields: _, ...metadata } = object.metadata;
  known.delete(key);
  known.set(key, { ...object, metadata });
  const [oldest] = known.keys();
  if (known.size > MAX_KEPT && oldest !== undefined) known.delete(oldest);
}

/** The object that was kept in mind under a key, once. */
export function takeNew(cluster: ClusterConnection, key: string): WithStatus | undefined {
  const known = kept.get(cluster);
  const object = known?.get(key);
  known?.delete(key);
  return object;
}
