import type { Inventory } from '../core/inventory.ts';
import { parseEntry, union } from '../core/inventory.ts';
import { deletionPolicyOf } from '../toolkit/intervals.ts';
import type { Kustomization } from '../toolkit/kustomization.ts';
import { isKustomization, listKustomizations } from './kustomizations.ts';
import type { Run } from './run.ts';

/**
 * An inventory with those of the Kustomizations in it, down to the last: what would go if all of it were deleted, since a
 * Kustomization that is deleted deletes what it has applied.
 */
export async function withChildren(run: Run, inventories: readonly Inventory[]): Promise<Inventory[]> {
  const items = await listKustomizations(run.client);
  const byName = new Map(items.map((item) => [`${item.metadata.namespace}/${item.metadata.name}`, item]));
  return inventories.map((inventory) => expand(inventory, byName, new Set()));
}

function expand(
  inventory: Inventory,
  byName: ReadonlyMap<string, Kustomization>,
  seen: Set<string>,
): Inventory {
  let result = inventory;
  for (const entry of inventory.entries) {
    const ref = parseEntry(entry);
    if (!ref || !isKustomization(ref)) continue;
    const key = `${ref.namespace}/${ref.name}`;
    const child = byName.get(key);
    if (!child || seen.has(key) || deletionPolicyOf(child) === 'Orphan') continue;
    seen.add(key);
    const entries = child.status?.inventory?.entries ?? [];
    result = union(result, expand({ entries }, byName, seen));
  }
  return result;
}
