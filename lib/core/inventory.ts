import type { KubernetesObject, ObjectRef } from './object.ts';
import { gvkOf, identityOf } from './object.ts';

/** An entry of `status.inventory.entries` as Flux writes it. */
export interface InventoryEntry {
  /** `<namespace>_<name>_<group>_<kind>`. */
  id: string;
  /** The API version last applied, without the group. */
  v: string;
}

/** The Toolkit's `status.inventory`: what an object has applied and may prune. */
export interface Inventory {
  entries: InventoryEntry[];
}

/** Colons (in RBAC names) stand as `__` in an id. https://github.com/kubernetes-sigs/cli-utils (object.ObjMetadata) */
const COLON = '__';

/** The inventory entry of an object. */
export function entryOf(object: KubernetesObject): InventoryEntry {
  const { group, version, kind } = gvkOf(object);
  const name = object.metadata.name.replaceAll(':', COLON);
  return { id: `${object.metadata.namespace ?? ''}_${name}_${group}_${kind}`, v: version };
}

/**
 * The object that an entry names.
 * @returns undefined when the id is malformed; such an entry must be kept and never pruned
 */
export function parseEntry(entry: InventoryEntry): ObjectRef | undefined {
  const parts = entry.id.split('_');
  if (parts.length < 4) return undefined;
  const kind = parts.at(-1) as string;
  const group = parts.at(-2) as string;
  const namespace = parts[0] as string;
  const name = parts.slice(1, -2).join('_').replaceAll(COLON, ':');
  if (kind === '' || name === '') return undefined;
  return { group, version: entry.v, kind, namespace, name };
}

/** Entries of both, sorted by id; where both name an object the version of `second` holds. */
export function union(first: Inventory, second: Inventory): Inventory {
  const byId = new Map(first.entries.map((entry) => [entry.id, entry]));
  for (const entry of second.entries) byId.set(entry.id, entry);
  return { entries: [...byId.values()].sort((a, b) => (a.id < b.id ? -1 : a.id > b.id ? 1 : 0)) };
}

/** Entries of `previous` whose object (whatever the API version) is not in `next`. */
export function difference(previous: Inventory, next: Inventory): InventoryEntry[] {
  const kept = new Set(next.entries.map((entry) => keyOf(entry)));
  return previous.entries.filter((entry) => !kept.has(keyOf(entry)));
}

function keyOf(entry: InventoryEntry): string {
  const ref = parseEntry(entry);
  return ref ? identityOf(ref) : entry.id;
}
