import { changed } from '../core/changeset.ts';
import { ReconcileError } from '../core/errors.ts';
import type { KubernetesObject } from '../core/object.ts';
import { describe, identityOf, refOf } from '../core/object.ts';
import type { KubeClient } from '../kube/client.ts';
import { ApplyError } from './apply-error.ts';
import { isFailure } from './failures.ts';
import { normalize } from './normalize.ts';
import { compareRefs, STAGES, stageOf } from './order.ts';
import { definedKinds } from './resolve.ts';
import { type Run, startRun, stopIfSuperseded } from './run.ts';
import { applyStage } from './stage.ts';
import type { ApplyOptions, ApplyResult } from './types.ts';
import { waitUntilReady } from './wait.ts';

/** When to look again at a namespace or CRD that is being deleted, in ms. */
const TERMINATING_RECHECK = 2_000;

/**
 * Brings a set of objects to a cluster by server-side apply, as Flux does: namespaces, CRDs and cluster roles first, then classes,
 * then the rest; each stage is validated whole before its first write, and what has not changed is not touched.
 * @param client acts as the service account that the objects are to be applied with
 * @param objects the complete render
 * @throws ApplyError with what was done until then: the objects that were refused, each with its reason; a lost lease; a newer
 *   request. Anything else is the reason of the aborted signal.
 * @see https://github.com/fluxcd/pkg/blob/main/ssa/manager_apply.go
 */
export async function applyStaged(
  client: KubeClient,
  objects: readonly KubernetesObject[],
  options: ApplyOptions,
): Promise<ApplyResult> {
  const run = startRun(client, options);
  try {
    const desired = objects.map((object) => normalize(object, options.owner));
    refuseDuplicates(desired);
    const byStage = Map.groupBy(desired, stageOf);
    const defined = definedKinds(desired);
    for (const stage of STAGES) {
      const members = byStage.get(stage)?.toSorted((a, b) => compareRefs(refOf(a), refOf(b)));
      if (!members) continue;
      await stopIfSuperseded(run);
      const before = run.result.changeSet.entries.length;
      await applyStage(run, members, defined);
      if (stage !== 'resources') await settle(run, before);
    }
    return run.result;
  } catch (error) {
    throw withResult(run, error);
  }
}

/** Waits for what a stage wrote, so that the next one can build on it. */
async function settle(run: Run, before: number): Promise<void> {
  const done = run.result.changeSet.entries.slice(before);
  const gone = run.result.terminating.map(describe);
  if (gone.length > 0) {
    throw new ReconcileError(
      'ReconciliationFailed',
      `${gone.join(', ')} is being deleted; what builds on it is applied when it is gone and made anew`,
      { outcome: 'wait', retryAfter: TERMINATING_RECHECK },
    );
  }
  const written = new Set(
    done
      .filter(({ action }) => action === 'created' || action === 'configured')
      .map(({ ref }) => identityOf(ref)),
  );
  await waitUntilReady(
    run,
    run.result.applied.filter((object) => written.has(identityOf(refOf(object)))),
  );
  if (done.some(({ ref }) => written.has(identityOf(ref)) && ref.kind === 'CustomResourceDefinition')) {
    run.client.invalidate();
  }
}

function refuseDuplicates(objects: readonly KubernetesObject[]): void {
  const seen = new Set<string>();
  for (const object of objects) {
    const identity = identityOf(refOf(object));
    if (!seen.has(identity)) {
      seen.add(identity);
      continue;
    }
    throw new ReconcileError(
      'BuildFailed',
      `${describe(refOf(object))} is rendered twice; which of the two is meant cannot be known, remove one`,
      { outcome: 'stall' },
    );
  }
}

function withResult(run: Run, error: unknown): unknown {
  if (!isFailure(error)) return error;
  const log = changed(run.result.changeSet).map(({ ref, action }) => `${describe(ref)} ${action}`);
  const message = [error.message, ...log].join('\n');
  const known = error instanceof ReconcileError;
  return new ApplyError(known ? error.reason : 'ReconciliationFailed', message, run.result, {
    outcome: known ? error.outcome : 'retry',
    ...(known ? { cause: error } : {}),
    ...(error.retryAfter === undefined ? {} : { retryAfter: error.retryAfter }),
  });
}
