import type { InventoryEntry } from '../core/inventory.ts';
import { parseEntry } from '../core/inventory.ts';
import type { KubeClient } from '../kube/client.ts';
import { KubeError } from '../kube/errors.ts';
import { otherOwner } from './ownership.ts';
import type { PruneOptions } from './prune.ts';
import { each } from './run.ts';
import { locate } from './served.ts';

/**
 * The entries of objects that another owner has taken over, as their labels say: whatever else is waited for, these are not to be deleted
 * by this one. Held on to, they would keep an owner that is being deleted waiting for one that waits for it.
 * @throws the reason of an aborted signal
 */
export async function takenOver(
  client: KubeClient,
  entries: readonly InventoryEntry[],
  options: Pick<PruneOptions, 'owner' | 'concurrency' | 'signal'>,
): Promise<InventoryEntry[]> {
  const looks = await each(options, [...entries], async (entry) => {
    const listed = parseEntry(entry);
    const ref = listed && (await locate(client, listed));
    if (typeof ref !== 'object') return false;
    const live = await client.getMetadata(ref);
    return live !== undefined && otherOwner(live.metadata, options.owner) !== undefined;
  });
  return looks.flatMap((look) => {
    if ('value' in look) return look.value ? [look.item] : [];
    // What cannot be looked at stays.
    if (look.error instanceof KubeError) return [];
    throw look.error;
  });
}
