import { locate } from '../apply/served.ts';
import type { InventoryEntry } from '../core/inventory.ts';
import { parseEntry } from '../core/inventory.ts';
import { identityOf } from '../core/object.ts';
import type { KubeClient } from '../kube/client.ts';
import { KubeError } from '../kube/errors.ts';
import type { Kustomization } from '../toolkit/kustomization.ts';
import { listKustomizations } from './kustomizations.ts';
import { keyOf, objectKey } from './object-key.ts';
import type { Run } from './run.ts';

/**
 * Which objects that a Kustomization has not come to yet another one of the cluster still holds: they are moving here. The other one would
 * delete them if they did not stand in an inventory here.
 * @param client acts as the account that applies; what that may not look at it could never delete, and never take over either
 */
export async function movingHere(
  run: Run,
  object: Kustomization,
  client: KubeClient,
  entries: readonly InventoryEntry[],
): Promise<InventoryEntry[]> {
  if (entries.length === 0 || object.spec.kubeConfig !== undefined) return [];
  const others = (await listKustomizations(run.client)).filter(
    (item) => keyOf(item) !== objectKey(run.ref) && item.spec.kubeConfig === undefined,
  );
  const held = new Set(
    others
      .flatMap(({ status }) => status?.inventory?.entries ?? [])
      .flatMap((entry) => parseEntry(entry) ?? [])
      .map(identityOf),
  );
  const found: InventoryEntry[] = [];
  for (const entry of entries) {
    const ref = parseEntry(entry);
    if (ref && held.has(identityOf(ref)) && (await mayBeThere(client, ref))) found.push(entry);
  }
  return found;
}

async function mayBeThere(client: KubeClient, listed: Parameters<typeof locate>[1]): Promise<boolean> {
  try {
    const ref = await locate(client, listed);
    if (typeof ref !== 'object') return ref === 'unavailable';
    return (await client.getMetadata(ref)) !== undefined;
  } catch (error) {
    if (!(error instanceof KubeError)) throw error;
    return error.code !== 403;
  }
}
