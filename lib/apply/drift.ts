import { digestOf } from '../core/digest.ts';
import type { KubernetesObject, ObjectMeta } from '../core/object.ts';
import { gvkOf, identityOf, parseApiVersion } from '../core/object.ts';
import { isForeign, isOurs } from './managed-fields.ts';
import type { AppliedRecord, DriftIgnoreRule } from './types.ts';

/** Any object whose metadata is known. */
export interface Observable {
  apiVersion: string;
  kind: string;
  metadata: ObjectMeta;
}

/** A day. */
export const RECHECK_AFTER = 24 * 3_600_000;

/** These kinds carry a generation but do not count it up when they change. */
const FROZEN_GENERATION = new Set(['scheduling.k8s.io']);

/** A digest over the manifest as it is sent and the rules that change how it is compared. */
export function desiredDigest(
  object: KubernetesObject,
  fieldManager: string,
  rules: readonly DriftIgnoreRule[],
): string {
  return digestOf({ object, fieldManager, rules });
}

/**
 * A digest over everything in an object's metadata that changes when somebody edits it, and over nothing that changes
 * otherwise. `fieldsV1` names paths, not values, so it cannot stand alone: a rewrite under our own name shows only in the
 * generation (or, in kinds without one, in the resourceVersion), a restore only in the uid.
 */
export function observe(object: Observable, fieldManager: string, takeOver: readonly string[] = []): string {
  const { metadata } = object;
  const { group } = parseApiVersion(object.apiVersion);
  const counted = metadata.generation !== undefined && !FROZEN_GENERATION.has(group);
  const entries = metadata.managedFields ?? [];
  return digestOf([
    metadata.uid,
    metadata.deletionTimestamp ?? null,
    counted ? metadata.generation : metadata.resourceVersion,
    metadata.labels ?? {},
    metadata.annotations ?? {},
    entries.filter((entry) => isOurs(entry, fieldManager)),
    entries.filter((entry) => isForeign(entry, fieldManager, takeOver)),
  ]);
}

/**
 * Which recorded objects were edited or deleted, by comparing records with lists of live metadata.
 * @param records what the index remembers, by identity; only of kinds and namespaces that were listed
 * @param live what the cluster has now; objects without a record are passed over
 * @returns identities, sorted
 */
export function driftedOf(
  records: ReadonlyMap<string, AppliedRecord>,
  live: Iterable<Observable>,
  fieldManager: string,
  takeOver: readonly string[] = [],
): string[] {
  const untouched = new Set<string>();
  for (const object of live) {
    const { namespace = '', name } = object.metadata;
    const identity = identityOf({ ...gvkOf(object), namespace, name });
    const record = records.get(identity);
    if (record && record.observation === observe(object, fieldManager, takeOver)) untouched.add(identity);
  }
  return [...records.keys()].filter((identity) => !untouched.has(identity)).sort();
}

/**
 * Whether an untouched object must be compared whole again. The time is spread over a quarter of the period, by the object, so
 * that a fleet applied at once is not compared at once for ever.
 * @param now epoch in ms
 */
export function isDue(record: AppliedRecord, now: number, recheckAfter = RECHECK_AFTER): boolean {
  const spread = Number.parseInt(record.observation.slice(-4), 16) / 0xffff;
  return now - record.checkedAt >= recheckAfter * (1 - spread / 4);
}
