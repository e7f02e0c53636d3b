import { createTwoFilesPatch } from 'diff';
import { stringify } from 'yaml';
import type { Action } from '../core/changeset.ts';
import { messageOf, ReconcileError } from '../core/errors.ts';
import { type InventoryEntry, parseEntry } from '../core/inventory.ts';
import type { KubernetesObject, ObjectRef } from '../core/object.ts';
import { describe, identityOf, refOf } from '../core/object.ts';
import { redact } from '../core/redact.ts';
import type { KubeClient } from '../kube/client.ts';
import { isNotFound, KubeError } from '../kube/errors.ts';
import { ABSENT, assess, type Decision, decideUnseen, expecting } from './assess.ts';
import { driftedPaths } from './compare.ts';
import { failureText, isFailure } from './failures.ts';
import { ignoredPaths, without } from './ignore-rules.ts';
import { maskPair } from './mask.ts';
import { normalize } from './normalize.ts';
import { compareRefs } from './order.ts';
import { judge, type PruneRules } from './prune-verdict.ts';
import { definedKinds, resolveScopes } from './resolve.ts';
import { type Candidate, each, type Run, startRun } from './run.ts';
import { afterTakeOver } from './take-over-preview.ts';
import type { ApplyOptions } from './types.ts';

/** What an apply would do to one object. */
export interface PlanEntry {
  ref: ObjectRef;
  /** `failed`: the server would refuse it. */
  action: Action | 'failed';
  /** Why, or which fields. */
  detail?: string;
  /** Unified diff of the YAML, secrets masked. */
  diff?: string;
}

/** How a plan is made. */
export interface PlanOptions
  extends Omit<
    ApplyOptions,
    'known' | 'previous' | 'beforeWrite' | 'willWrite' | 'superseded' | 'waitTimeout'
  > {
  /** Old inventory − new inventory, and how it would be pruned. */
  stale: readonly InventoryEntry[];
  prune: Omit<PruneRules, 'owner'>;
  /** Values that must not be shown wherever they stand, such as decrypted ones. */
  secrets?: readonly string[];
}

/**
 * Says what an apply and a prune would do, by server-side dry-runs. Writes nothing.
 * @param objects the complete render
 * @returns one entry per object, in apply order, deletions last
 */
export async function plan(
  client: KubeClient,
  objects: readonly KubernetesObject[],
  options: PlanOptions,
): Promise<PlanEntry[]> {
  const run = startRun(client, {
    ...options,
    known: new Map(),
    waitTimeout: 0,
    beforeWrite: async () => {
      throw new ReconcileError(
        'ReconciliationFailed',
        'an apply would first have to rewrite its managed fields',
      );
    },
  });
  const desired = objects.map((object) => normalize(object, options.owner));
  const { candidates, failures } = await resolveScopes(run, desired, new Set());
  const defined = definedKinds(desired);
  const entries = failures.map(({ object, error }): PlanEntry => {
    const candidate = { ref: refOf(object), object };
    const isNew = defined.has(`${candidate.ref.group}/${object.kind}`);
    if (isNew)
      return {
        ref: candidate.ref,
        action: 'created',
        diff: diffOf(candidate.ref, undefined, object, options),
      };
    return { ref: candidate.ref, action: 'failed', detail: error.message };
  });
  const settled = await each(options, candidates, (candidate) => planOne(run, candidate, options));
  for (const outcome of settled) {
    if (!('error' in outcome)) entries.push(outcome.value);
    else if (!isFailure(outcome.error)) throw outcome.error;
    else {
      const { ref, object } = outcome.item;
      entries.push({ ref, action: 'failed', detail: failureText(object, outcome.error) });
    }
  }
  entries.sort((a, b) => compareRefs(a.ref, b.ref));
  return [...entries, ...(await planPrune(client, options))];
}

async function planOne(run: Run, candidate: Candidate, options: PlanOptions): Promise<PlanEntry> {
  const { ref, object } = candidate;
  const decision: Decision = decideUnseen(run, candidate) ?? (await assess(run, candidate));
  switch (decision.kind) {
    case 'unchanged':
      return { ref, action: 'unchanged' };
    case 'skipped':
      return { ref, action: 'skipped', detail: decision.detail };
    case 'recreate':
      return {
        ref,
        action: 'configured',
        detail: `deleted and created again: ${decision.detail}`,
        diff: diffOf(ref, decision.live, object, options),
      };
    case 'configure': {
      const paths = ignoredPaths(run.rules, decision.dryRun);
      const { live, dryRun, takeOver } = decision;
      const { fieldManager } = options;
      const made = takeOver ? afterTakeOver(live, dryRun, fieldManager, options.takeOver) : dryRun;
      const [before, after] = [without(live, paths), without(made, paths)];
      const detail = driftedPaths(before, after).join(', ') || decision.detail;
      return { ref, action: 'configured', detail, diff: diffOf(ref, before, after, options) };
    }
    case 'create':
      return {
        ref,
        action: 'created',
        diff: diffOf(ref, undefined, await tryCreate(run, object), options),
      };
  }
}

/** A namespace that the same render creates is not there yet; then the manifest itself is shown. */
async function tryCreate(run: Run, object: KubernetesObject): Promise<KubernetesObject> {
  const { fieldManager, signal } = run.options;
  try {
    await run.client.apply(expecting(object, { resourceVersion: ABSENT }), {
      fieldManager,
      force: true,
      dryRun: true,
      signal,
    });
  } catch (error) {
    if (!isNotFound(error)) throw error;
  }
  return object;
}

async function planPrune(client: KubeClient, options: PlanOptions): Promise<PlanEntry[]> {
  const stale = options.stale.flatMap((entry) => parseEntry(entry) ?? []).sort((a, b) => compareRefs(b, a));
  const pruned = new Set(stale.map(identityOf));
  const rules = { ...options.prune, owner: options.owner };
  const settled = await each(options, stale, async (ref): Promise<PlanEntry> => {
    const verdict = await judge(client, ref, pruned, rules);
    if (verdict.action === 'delete') return { ref, action: 'deleted' };
    const detail = verdict.detail ? { detail: verdict.detail } : {};
    return { ref, action: verdict.action === 'survives' ? 'failed' : verdict.action, ...detail };
  });
  return settled.map((outcome) => {
    if (!('error' in outcome)) return outcome.value;
    if (!(outcome.error instanceof KubeError)) throw outcome.error;
    return { ref: outcome.item, action: 'failed', detail: messageOf(outcome.error) };
  });
}

/** The state of an object as people write it: without what only the server knows. */
function shown(object: KubernetesObject | undefined): string {
  if (!object) return '';
  const { status: _status, metadata, ...body } = object;
  const { name, namespace, labels, annotations, finalizers, ownerReferences } = metadata;
  const { apiVersion, kind, ...rest } = body;
  const kept = Object.entries({ name, namespace, labels, annotations, finalizers, ownerReferences });
  const visible = Object.fromEntries(kept.filter(([, value]) => value !== undefined));
  return stringify(
    { apiVersion, kind, metadata: visible, ...rest },
    { lineWidth: 0, aliasDuplicateObjects: false },
  );
}

function diffOf(
  ref: ObjectRef,
  before: KubernetesObject | undefined,
  after: KubernetesObject | undefined,
  options: PlanOptions,
): string {
  const [from, to] = maskPair(before, after);
  const name = describe(ref);
  const text = createTwoFilesPatch(name, name, shown(from), shown(to), 'live', 'planned', { context: 3 });
  return redact(text.replace(/^(Index: .*\n)?=+\n/, ''), options.secrets);
}
