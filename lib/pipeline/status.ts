import { sameJson } from '../core/digest.ts';
import { ReconcileError } from '../core/errors.ts';
import type { Inventory } from '../core/inventory.ts';
import type { KubernetesObject } from '../core/object.ts';
import { describe, refOf } from '../core/object.ts';
import type { KubeClient } from '../kube/client.ts';
import { isConflict } from '../kube/errors.ts';

/** A Toolkit object with the status it has, of whatever shape. */
export interface WithStatus extends KubernetesObject {
  status?: Record<string, unknown>;
}

/** How often a status is written again over somebody else's change of the same object. */
const ATTEMPTS = 5;

/**
 * Writes the status of a Toolkit object, or nothing when it stays as it is. The write carries the resourceVersion that was
 * read. When somebody changed the object meanwhile, it is read again and the change laid over it, but only while its
 * inventory is still the one we know: another inventory means another writer, whose work must not be undone.
 * @param onConflict called before that; throws when the run has lost its lease
 * @param change gives the new status from the present one; called again for every attempt
 * @returns the object as the server has it
 * @throws ReconcileError `ReconciliationFailed` when the object is gone, was made anew, or has another writer
 */
export async function writeStatus<T extends WithStatus>(
  client: KubeClient,
  object: T,
  change: (status: NonNullable<T['status']>) => NonNullable<T['status']>,
  onConflict?: () => Promise<void>,
): Promise<T> {
  let current = object;
  for (let attempt = 1; ; attempt++) {
    const status = change((current.status ?? {}) as NonNullable<T['status']>);
    if (sameJson(status, current.status ?? {})) return current;
    try {
      return await client.updateStatus<T>({ ...current, status });
    } catch (error) {
      if (!isConflict(error) || attempt === ATTEMPTS) throw error;
    }
    await onConflict?.();
    current = await readAgain(client, current);
  }
}

async function readAgain<T extends WithStatus>(client: KubeClient, known: T): Promise<T> {
  const live = await client.get<T>(refOf(known));
  const name = describe(refOf(known));
  if (!live || live.metadata.uid !== known.metadata.uid) {
    throw new ReconcileError('ReconciliationFailed', `${name} was deleted while it was reconciled`, {
      outcome: 'retry',
    });
  }
  if (!sameJson(inventoryOf(live), inventoryOf(known))) {
    throw new ReconcileError(
      'ReconciliationFailed',
      `the inventory of ${name} was changed by another writer while it was reconciled; it is read again and the run repeated`,
      { outcome: 'retry' },
    );
  }
  return live;
}

function inventoryOf(object: WithStatus): Inventory['entries'] {
  const inventory = object.status?.inventory as Inventory | undefined;
  return inventory?.entries ?? [];
}
