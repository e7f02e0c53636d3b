import { isDeepStrictEqual } from 'node:util';
import type { ManagedFieldsEntry, ObjectMeta } from '../core/object.ts';
import type { JsonMap } from './pointer.ts';
import { escapeSegment, isMap, valueAt } from './pointer.ts';

/** One operation of a JSON patch. https://www.rfc-editor.org/rfc/rfc6902 */
export interface PatchOperation {
  op: 'replace' | 'remove';
  path: string;
  value?: unknown;
}

/** Annotations that clients keep for themselves and that would otherwise stay for ever. */
export const CLIENT_ANNOTATIONS = [
  'kubectl.kubernetes.io/last-applied-configuration',
  'kustomize.toolkit.fluxcd.io/checksum',
  'fluxcd.io/sync-checksum',
];

const CLIENT_LABELS = ['fluxcd.io/sync-gc-mark'];

/**
 * Whether the fields of an entry are to be taken over: those of kubectl by any way, those from before the first server-side
 * apply, and updates under our own name. Subresources (scale, status) are not concerned.
 * https://github.com/fluxcd/kustomize-controller/blob/main/internal/controller/kustomization_controller.go
 */
export function isForeign(
  entry: ManagedFieldsEntry,
  fieldManager: string,
  takeOver: readonly string[] = [],
): boolean {
  if (entry.subresource) return false;
  const manager = entry.manager ?? '';
  if (['kubectl', ...takeOver].some((prefix) => manager.startsWith(prefix))) return true;
  return (
    entry.operation === 'Update' &&
    (manager.startsWith('before-first-apply') || manager.startsWith(fieldManager))
  );
}

/** Our own entry: what we applied to the main resource. */
export function isOurs(entry: ManagedFieldsEntry, fieldManager: string): boolean {
  return entry.manager === fieldManager && entry.operation === 'Apply' && !entry.subresource;
}

/**
 * The union of two `fieldsV1` tries. A leaf `{}` means that the path itself is owned; when it gets children that is said by `.`.
 * https://kubernetes.io/docs/reference/using-api/server-side-apply/#field-management
 */
export function unionFields(a: JsonMap, b: JsonMap): JsonMap {
  const aEmpty = Object.keys(a).length === 0;
  const bEmpty = Object.keys(b).length === 0;
  if (aEmpty && bEmpty) return {};
  const result: JsonMap = aEmpty || bEmpty ? { '.': {}, ...a, ...b } : { ...a };
  if (aEmpty || bEmpty) return result;
  for (const [key, value] of Object.entries(b)) {
    const mine = result[key];
    result[key] = isMap(mine) && isMap(value) ? unionFields(mine, value) : value;
  }
  return result;
}

/**
 * The JSON patch that folds foreign entries into ours and removes what their clients left behind, so that the next apply
 * removes or resets their fields. It carries the resourceVersion: a change in between gives 409.
 * @returns undefined when there is nothing to take over
 */
export function takeOverPatch(
  metadata: ObjectMeta,
  fieldManager: string,
  takeOver: readonly string[] = [],
): PatchOperation[] | undefined {
  const operations = [
    ...CLIENT_ANNOTATIONS.filter((key) => metadata.annotations?.[key] !== undefined).map(
      (key): PatchOperation => ({ op: 'remove', path: `/metadata/annotations/${escapeSegment(key)}` }),
    ),
    ...CLIENT_LABELS.filter((key) => metadata.labels?.[key] !== undefined).map(
      (key): PatchOperation => ({ op: 'remove', path: `/metadata/labels/${escapeSegment(key)}` }),
    ),
  ];
  const entries = metadata.managedFields ?? [];
  const foreign = entries.filter((entry) => isForeign(entry, fieldManager, takeOver));
  if (foreign.length > 0) {
    const merged = foldEntries(
      entries.filter((entry) => isOurs(entry, fieldManager)),
      foreign,
      fieldManager,
    );
    const others = entries.filter((entry) => !foreign.includes(entry) && !isOurs(entry, fieldManager));
    operations.push({ op: 'replace', path: '/metadata/managedFields', value: [...others, merged] });
  }
  if (operations.length === 0) return undefined;
  return [
    ...operations,
    { op: 'replace', path: '/metadata/resourceVersion', value: metadata.resourceVersion },
  ];
}

function foldEntries(
  ours: readonly ManagedFieldsEntry[],
  foreign: readonly ManagedFieldsEntry[],
  fieldManager: string,
): ManagedFieldsEntry {
  const [base, ...rest] = [...ours, ...foreign] as [ManagedFieldsEntry, ...ManagedFieldsEntry[]];
  const fieldsV1 = rest.reduce<JsonMap>(
    (fields, entry) => unionFields(fields, entry.fieldsV1 ?? {}),
    base.fieldsV1 ?? {},
  );
  return { ...base, manager: fieldManager, operation: 'Apply', fieldsV1 };
}

/** Whether a `fieldsV1` trie contains a path of the live object; items of keyed lists are found by their keys. */
export function ownsPath(fields: JsonMap, live: unknown, path: readonly string[]): boolean {
  let node: JsonMap = fields;
  for (const [depth, segment] of path.entries()) {
    const parent = valueAt(live, path.slice(0, depth));
    const key = Array.isArray(parent) ? itemKey(node, parent[Number(segment)]) : `f:${segment}`;
    const child = key === undefined ? undefined : node[key];
    if (!isMap(child)) return false;
    node = child;
  }
  return true;
}

function itemKey(node: JsonMap, item: unknown): string | undefined {
  return Object.keys(node).find((key) => {
    if (key.startsWith('v:')) return isDeepStrictEqual(parseJson(key.slice(2)), item);
    if (!key.startsWith('k:') || !isMap(item)) return false;
    const wanted = parseJson(key.slice(2));
    return (
      isMap(wanted) && Object.entries(wanted).every(([name, value]) => isDeepStrictEqual(item[name], value))
    );
  });
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
