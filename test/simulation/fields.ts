import type { KubernetesObject, ManagedFieldsEntry } from '../../lib/core/object.ts';

/** Values by path; lists and empty maps count as one value. */
export type Leaves = Map<string, unknown>;

/** Stands between the segments of a path, and in none of them. */
const SEPARATOR = '\u0000';

/** What entries own that were looked at, or made here: they are never changed. */
const owned = new WeakMap<object, ReadonlySet<string>>();

/** What of an object managers own: everything but what only servers set, its name and its status. */
export function leavesOf(object: KubernetesObject): Leaves {
  const { apiVersion: _version, kind: _kind, metadata, status: _status, ...body } = object;
  const { labels, annotations, finalizers } = metadata;
  const leaves: Leaves = new Map();
  collect({ ...body, metadata: { labels, annotations, finalizers } }, [], leaves);
  return leaves;
}

/** A path of its segments, as leaves have it. */
export function pathOf(segments: readonly string[]): string {
  return segments.join(SEPARATOR);
}

/** Sets the value at a path, or takes it away where there is none. */
export function setLeaf(object: Record<string, unknown>, path: string, value: unknown): void {
  const segments = path.split(SEPARATOR);
  const last = segments.pop() as string;
  let node = object;
  for (const segment of segments) {
    if (!isMap(node[segment])) node[segment] = {};
    node = node[segment] as Record<string, unknown>;
  }
  if (value === undefined) delete node[last];
  else node[last] = value;
}

/** The entry of managed fields for leaves: https://kubernetes.io/docs/reference/using-api/server-side-apply/#field-management */
export function fieldsOf(leaves: Iterable<string>): Record<string, unknown> {
  const fields: Record<string, unknown> = {};
  const paths = [...leaves].sort();
  for (const path of paths) {
    let node = fields;
    for (const segment of path.split(SEPARATOR)) {
      node[`f:${segment}`] ??= {};
      node = node[`f:${segment}`] as Record<string, unknown>;
    }
  }
  owned.set(fields, new Set(paths));
  return fields;
}

/** The leaves that an entry of managed fields names. */
export function ownedBy(entry: ManagedFieldsEntry | undefined): ReadonlySet<string> {
  const fields = entry?.fieldsV1 ?? {};
  const known = owned.get(fields);
  if (known) return known;
  const paths = new Set<string>();
  const walk = (node: Record<string, unknown>, path: string[]) => {
    const names = Object.keys(node).filter((name) => name.startsWith('f:'));
    if (names.length === 0 && path.length > 0) paths.add(pathOf(path));
    for (const name of names) walk(node[name] as Record<string, unknown>, [...path, name.slice(2)]);
  };
  walk(fields, []);
  owned.set(fields, paths);
  return paths;
}

function collect(value: unknown, path: string[], leaves: Leaves): void {
  if (value === undefined) return;
  if (!isMap(value) || (Object.keys(value).length === 0 && path.length > 2)) {
    leaves.set(pathOf(path), value);
    return;
  }
  for (const [key, member] of Object.entries(value)) collect(member, [...path, key], leaves);
}

function isMap(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
