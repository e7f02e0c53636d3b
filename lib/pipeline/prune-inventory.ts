import { prune } from '../apply/prune.ts';
import { rfc3339 } from '../core/conditions.ts';
import { describe } from '../core/object.ts';
import { deletionPolicyOf, timeoutOf } from '../toolkit/intervals.ts';
import type { Kustomization } from '../toolkit/kustomization.ts';
import { pruneOptions } from './prune-options.ts';
import type { Run } from './run.ts';
import { step } from './run.ts';
import { targetClient } from './target.ts';

/**
 * What becomes of the objects of a Kustomization that is deleted, by its `deletionPolicy`. A suspended one leaves them, as
 * with Flux. What could not be deleted keeps the Kustomization, and its inventory, until it could.
 */
export async function pruneInventory(run: Run, object: Kustomization): Promise<void> {
  const policy = deletionPolicyOf(object);
  const entries = object.status?.inventory?.entries ?? [];
  if (policy === 'Orphan' || object.spec.suspend === true || entries.length === 0) {
    run.log.info(
      { kept: entries.length, deleted: rfc3339(run.ctx.now()) },
      `${describe(run.ref)} is deleted, its objects stay`,
    );
    return;
  }
  const { client } = await targetClient(run, object);
  const options = pruneOptions(run, object, true);
  const wait = policy === 'WaitForTermination' ? { waitForTermination: timeoutOf(object) } : {};
  const { changeSet, error } = await step(run, 'prune', () =>
    prune(client, entries, { ...options, ...wait }),
  );
  run.changes.push(...changeSet.entries);
  if (error) throw error;
}
