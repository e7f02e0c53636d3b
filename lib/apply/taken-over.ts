import type { InventoryEntry } from '../core/inventory.ts';
import { parseEntry } from '../core/inventory.ts';
import type { ObjectRef } from '../core/object.ts';
import type { KubeClient } from '../kube/client.ts';
import { KubeError } from '../kube/errors.ts';
import { otherOwner } from './ownership.ts';
import type { PruneOptions } from './prune.ts';
import { each } from './run.ts';
import { locate } from './served.ts';

/** How it is told what others have taken over. */
export interface TakeOverOptions extends Pick<PruneOptions, 'owner' | 'concurrency' | 'signal'> {
  /** Whether an owner that is being deleted holds the object: when it is gone, it is for that one to say so. */
  heldByLeaving(ref: ObjectRef): boolean;
}

/**
 * The entries of objects that another owner has taken over: their labels say so, or they are gone and one that is being deleted holds them.
 * Whatever else is waited for, these are not to be deleted by this one. Held on to, they would keep an owner that is being deleted
 * waiting for one that waits for it.
 * @throws the reason of an aborted signal
 */
export async function takenOver(
  client: KubeClient,
  entries: readonly InventoryEntry[],
  options: TakeOverOptions,
): Promise<InventoryEntry[]> {
  const looks = await each(options, [...entries], async (entry) => {
    const listed = parseEntry(entry);
    const ref = listed && (await locate(client, listed));
    if (typeof ref !== 'object') return false;
    const live = await client.getMetadata(ref);
    return live ? otherOwner(live.metadata, options.owner) !== undefined : options.heldByLeaving(ref);
  });
  return looks.flatMap((look) => {
    if ('value' in look) return look.value ? [look.item] : [];
    // What cannot be looked at stays.
    if (look.error instanceof KubeError) return [];
    throw look.error;
  });
}
