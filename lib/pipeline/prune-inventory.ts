import { prune } from '../apply/prune.ts';
import { ReconcileError } from '../core/errors.ts';
import { describe } from '../core/object.ts';
import { deletionPolicyOf, timeoutOf } from '../toolkit/intervals.ts';
import type { Kustomization } from '../toolkit/kustomization.ts';
import { claimsOf, sendHeirs } from './claims.ts';
import { listKustomizations } from './kustomizations.ts';
import { presentArtifact, sourceRefOf } from './load-source.ts';
import { isNamespaceGoing } from './namespace.ts';
import { againMs, FIRST_LOOK_MS, unbuilt } from './prune-gate.ts';
import { pruneOptions } from './prune-options.ts';
import type { Run } from './run.ts';
import { step } from './run.ts';
import type { WithStatus } from './status.ts';
import { accountOf, targetClient } from './target.ts';

/**
 * What becomes of the objects of a Kustomization that is deleted, by its `deletionPolicy`. A suspended one leaves them, as
 * with Flux. What could not be deleted keeps the Kustomization, and its inventory, until it could.
 */
export async function pruneInventory(run: Run, object: Kustomization): Promise<string> {
  const policy = deletionPolicyOf(object);
  const entries = object.status?.inventory?.entries ?? [];
  const reason =
    entries.length === 0
      ? 'it has applied nothing'
      : policy === 'Orphan'
        ? 'as its deletion policy says'
        : object.spec.suspend === true
          ? 'since it is suspended'
          : await missingAccount(run, object);
  if (reason !== undefined) {
    run.log.info({ kept: entries.length, reason }, `${describe(run.ref)} is deleted, its objects stay`);
    return `deleted; its ${entries.length} objects stay, ${reason}`;
  }
  const items = await listKustomizations(run.client);
  await untilOthersAreBuilt(run, object, items);
  const { client } = await targetClient(run, object);
  const claims = object.spec.kubeConfig ? undefined : claimsOf(run, object, undefined, items);
  const options = pruneOptions(run, object, true, claims);
  const wait = policy === 'WaitForTermination' ? { waitForTermination: timeoutOf(object) } : {};
  const { changeSet, error, waitsFor } = await step(run, 'prune', () =>
    prune(client, entries, { ...options, ...wait }),
  );
  run.changes.push(...changeSet.entries);
  await sendHeirs(run, claims);
  if (error) throw error;
  if (waitsFor.length > 0) throw waiting(run, waitsFor, FIRST_LOOK_MS);
  return `deleted, with ${changeSet.entries.filter(({ action }) => action === 'deleted').length} objects`;
}

/**
 * Why nobody is left in whose name objects could be deleted: the account, or the kubeconfig in a namespace that goes as a whole, is gone.
 * Waiting for it would keep the namespace for ever.
 */
async function missingAccount(run: Run, object: Kustomization): Promise<string | undefined> {
  const namespace = object.metadata.namespace ?? '';
  const core = { group: '', version: 'v1' };
  const exists = async (kind: string, name: string) =>
    (await run.client.getMetadata({ ...core, kind, namespace, name })) !== undefined;
  const { kubeConfig } = object.spec;
  if (kubeConfig === undefined) {
    const account = accountOf(run, object);
    return account === undefined || (await exists('ServiceAccount', account))
      ? undefined
      : `since ServiceAccount/${namespace}/${account}, in whose name they were applied, is gone`;
  }
  const { secretRef, configMapRef } = kubeConfig;
  const [kind, name] = secretRef ? ['Secret', secretRef.name] : ['ConfigMap', configMapRef?.name ?? ''];
  if (await exists(kind, name)) return undefined;
  return (await isNamespaceGoing(run))
    ? `since ${kind}/${namespace}/${name} with the way to their cluster is gone`
    : undefined;
}

/** What this Kustomization held may have moved to another one in the same commit; that one takes it over first. */
async function untilOthersAreBuilt(
  run: Run,
  object: Kustomization,
  items: readonly (Kustomization & WithStatus)[],
): Promise<void> {
  const ref = sourceRefOf(object);
  const artifact = await presentArtifact(run, ref);
  if (artifact === undefined) return;
  const leaving = object.status?.inventory?.entries ?? [];
  const waitsFor = await unbuilt(run, ref, artifact.revision, leaving, items);
  if (waitsFor.length === 0) return;
  throw waiting(run, waitsFor, againMs(run.ctx.now(), artifact));
}

function waiting(run: Run, waitsFor: readonly string[], retryAfter: number): ReconcileError {
  const message = `objects of ${describe(run.ref)} are deleted once ${waitsFor.join(', ')} is through`;
  return new ReconcileError('PruneFailed', message, { outcome: 'wait', retryAfter });
}
