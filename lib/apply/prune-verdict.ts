import type { ObjectRef } from '../core/object.ts';
import { describe, formatApiVersion, identityOf } from '../core/object.ts';
import type { KubeClient, PartialObject } from '../kube/client.ts';
import { isFluxController } from '../toolkit/bootstrap.ts';
import { carriesOthers, lostWith } from './cascade.ts';
import { isOwnedBy, ownerLabels } from './ownership.ts';
import { isKept } from './policy.ts';
import { locate } from './served.ts';
import type { Owner } from './types.ts';

/** What must be known to judge whether an object may be pruned. */
export interface PruneRules {
  owner: Owner;
  /** Never deleted: the root objects and their namespace. */
  protectedRefs: readonly Pick<ObjectRef, 'group' | 'kind' | 'namespace' | 'name'>[];
  /**
   * Delete CRDs that still have custom resources, and namespaces that hold objects of other owners or volume claims: the prune was
   * allowed for this render (see prune-guard.ts).
   */
  allowed: boolean;
  /** Names another owner whose current render holds the object too; then it is left to that one. */
  claimed?(ref: ObjectRef, live: PartialObject): Promise<Claim | undefined>;
  /** Leaves an object that is gone, or going, to the others that hold it: one may have left it to this one, and must apply it now. */
  leaveToOthers?(ref: ObjectRef): Promise<void>;
}

/** Another owner's claim on an object. */
export interface Claim {
  /** Its key, as `Kustomization/apps/app`; with what keeps it from coming to an end. */
  by: string;
  /** That owner has come to an end. Until it has, nobody knows whether it takes the object over or lets it go, too. */
  settled: boolean;
}

/** What became of one entry, or is to become of it. */
export type Fate =
  | { action: 'deleted' | 'skipped'; detail?: string; uid?: string }
  /** Stays in the inventory; with a problem where somebody must act. */
  | { action: 'survives'; detail: string; problem: boolean; waitsFor?: string };

/** The judgement on one entry. */
export type Verdict = Fate | { action: 'delete'; ref: ObjectRef; live: PartialObject };

/** CRDs of the Toolkit stay: with them every object that says what is wanted would go. */
const TOOLKIT_CRD = /\.toolkit\.fluxcd\.io$/;

/**
 * Decides whether a stale object may be deleted: it must still carry the owner's labels, have no controller, not ask to be kept,
 * and take nothing with it that nobody asked to delete.
 * @param pruned identities that go in the same run
 */
export async function judge(
  client: KubeClient,
  stale: ObjectRef,
  pruned: ReadonlySet<string>,
  rules: PruneRules,
): Promise<Verdict> {
  if (isProtected(stale, rules)) return { action: 'skipped', detail: 'Slipway and the Toolkit need it' };
  const ref = await locate(client, stale);
  if (ref === 'gone') return { action: 'skipped', detail: 'its kind is no longer served' };
  if (ref === 'unknown') {
    return {
      action: 'survives',
      problem: false,
      detail: 'its kind is not served, and why may not be looked up',
    };
  }
  if (ref === 'unavailable') {
    const detail = `${describe(stale)}: the server of its API does not answer`;
    return { action: 'survives', problem: true, detail };
  }
  const live = await client.getMetadata(ref);
  if (!live) {
    // Nobody is waited for: there is nothing left to lose, and two that have let it go would wait for each other.
    await rules.leaveToOthers?.(ref);
    return { action: 'deleted', detail: 'it was gone already' };
  }
  const kept = reasonToKeep(ref, live, rules.owner);
  if (kept) return { action: 'skipped', detail: kept };
  if (live.metadata.deletionTimestamp) {
    await rules.leaveToOthers?.(ref);
    return deletedNow(live, 'it was being deleted already');
  }
  const claimant = await rules.claimed?.(ref, live);
  if (claimant?.settled) return { action: 'skipped', detail: `${claimant.by} applies it too, and keeps it` };
  if (claimant) {
    const detail = `it is looked at again once ${claimant.by} is through`;
    return { action: 'survives', problem: false, detail, waitsFor: claimant.by };
  }
  if (carriesOthers(ref) && !rules.allowed) {
    const lost = await lostWith(client, ref, pruned, ownerLabels(rules.owner));
    if (lost.length > 0) return { action: 'survives', problem: true, detail: cascadeProblem(ref, lost) };
  }
  return { action: 'delete', ref, live };
}

function isProtected(ref: ObjectRef, rules: PruneRules): boolean {
  if (ref.kind === 'CustomResourceDefinition' && TOOLKIT_CRD.test(ref.name)) return true;
  return rules.protectedRefs.some((each) => identityOf(each) === identityOf(ref));
}

function reasonToKeep(ref: ObjectRef, { metadata }: PartialObject, owner: Owner): string | undefined {
  // The inventory that Flux left holds Flux too; it is there to go back to.
  const whole = { apiVersion: formatApiVersion(ref), kind: ref.kind, metadata };
  if (isFluxController(whole)) return 'a part of Flux, which is left alone';
  if (!isOwnedBy(metadata, owner)) return 'its labels name another owner, or none';
  if (isKept(owner.group, metadata)) return 'its annotations say to keep it';
  const controller = metadata.ownerReferences?.find((each) => each.controller);
  return controller ? `${controller.kind}/${controller.name} controls it` : undefined;
}

function cascadeProblem(ref: ObjectRef, lost: readonly string[]): string {
  return (
    `${describe(ref)} was not deleted, because ${lost.join(', ')} would be deleted with it. ` +
    'Remove those first, allow this prune (slipway approve), or keep it with the annotation prune: Disabled.'
  );
}

/** The fate of an object whose deletion the server accepted. */
export function deletedNow({ metadata }: PartialObject, detail?: string): Fate {
  return {
    action: 'deleted',
    ...(detail ? { detail } : {}),
    ...(metadata.uid ? { uid: metadata.uid } : {}),
  };
}
