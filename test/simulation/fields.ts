import type { KubernetesObject, ManagedFieldsEntry } from '../../lib/core/object.ts';

/** Values by path; lists and empty maps count as one value. */
export type Leaves = Map<string, unknown>;

/** What of an object managers own: everything but what only servers set, its name and its status. */
export function leavesOf(object: KubernetesObject): Leaves {
  const { apiVersion: _version, kind: _kind, metadata, status: _status, ...body } = object;
  const { labels, annotations, finalizers } = metadata;
  const leaves: Leaves = new Map();
  collect({ ...body, metadata: { labels, annotations, finalizers } }, [], leaves);
  return leaves;
}

/** Whether the leaf of one path contains the other's, or they are the same. */
export function setLeaf(object: Record<string, unknown>, path: string, value: unknown): void {
  const segments = JSON.parse(path) as string[];
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
  for (const path of [...leaves].sort()) {
    let node = fields;
    for (const segment of JSON.parse(path) as string[]) {
      node[`f:${segment}`] ??= {};
      node = node[`f:${segment}`] as Record<string, unknown>;
    }
  }
  return fields;
}

/** The leaves that an entry of managed fields names. */
export function ownedBy(entry: ManagedFieldsEntry | undefined): Set<string> {
  const paths = new Set<string>();
  const walk = (node: Record<string, unknown>, path: string[]) => {
    const names = Object.keys(node).filter((name) => name.startsWith('f:'));
    if (names.length === 0 && path.length > 0) paths.add(JSON.stringify(path));
    for (const name of names) walk(node[name] as Record<string, unknown>, [...path, name.slice(2)]);
  };
  walk(entry?.fieldsV1 ?? {}, []);
  return paths;
}

function collect(value: unknown, path: string[], leaves: Leaves): void {
  if (value === undefined) return;
  if (!isMap(value) || (Object.keys(value).length === 0 && path.length > 2)) {
    leaves.set(JSON.stringify(path), value);
    return;
  }
  for (const [key, member] of Object.entries(value)) collect(member, [...path, key], leaves);
}

function isMap(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
