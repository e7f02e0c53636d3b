import { prune } from '../apply/prune.ts';
import type { Artifact } from '../core/artifact.ts';
import { rfc3339 } from '../core/conditions.ts';
import { ReconcileError } from '../core/errors.ts';
import { describe } from '../core/object.ts';
import { deletionPolicyOf, timeoutOf } from '../toolkit/intervals.ts';
import type { Kustomization } from '../toolkit/kustomization.ts';
import { claimsOf, sendHeirs } from './claims.ts';
import { sourceRefOf } from './load-source.ts';
import { againMs, FIRST_LOOK_MS, unbuilt } from './prune-gate.ts';
import { pruneOptions } from './prune-options.ts';
import type { Run } from './run.ts';
import { step } from './run.ts';
import type { WithStatus } from './status.ts';
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
  await untilOthersAreBuilt(run, object);
  const { client } = await targetClient(run, object);
  const claims = object.spec.kubeConfig ? undefined : claimsOf(run, object, undefined);
  const options = pruneOptions(run, object, true, claims);
  const wait = policy === 'WaitForTermination' ? { waitForTermination: timeoutOf(object) } : {};
  const { changeSet, error, waitsFor } = await step(run, 'prune', () =>
    prune(client, entries, { ...options, ...wait }),
  );
  run.changes.push(...changeSet.entries);
  if (error) throw error;
  if (waitsFor.length > 0) throw waiting(run, waitsFor, FIRST_LOOK_MS);
  await sendHeirs(run, claims);
}

/** What this Kustomization held may have moved to another one in the same commit; that one takes it over first. */
async function untilOthersAreBuilt(run: Run, object: Kustomization): Promise<void> {
  const ref = sourceRefOf(object);
  const source = await run.client.get<WithStatus>({ ...ref, version: 'v1' });
  const artifact = source?.status?.artifact as Artifact | undefined;
  if (artifact === undefined) return;
  const leaving = object.status?.inventory?.entries ?? [];
  const waitsFor = await unbuilt(run, ref, artifact.revision, leaving);
  if (waitsFor.length === 0) return;
  throw waiting(run, waitsFor, againMs(run.ctx.now(), artifact));
}

function waiting(run: Run, waitsFor: readonly string[], retryAfter: number): ReconcileError {
  const message = `objects of ${describe(run.ref)} are deleted once ${waitsFor.join(', ')} is through`;
  return new ReconcileError('PruneFailed', message, { outcome: 'wait', retryAfter });
}
