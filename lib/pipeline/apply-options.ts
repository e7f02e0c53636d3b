import type { AppliedRecord, ApplyOptions } from '../apply/types.ts';
import type { Inventory } from '../core/inventory.ts';
import { parseEntry } from '../core/inventory.ts';
import { identityOf } from '../core/object.ts';
import { FIELD_MANAGER } from '../toolkit/annotations.ts';
import { timeoutOf } from '../toolkit/intervals.ts';
import type { Kustomization } from '../toolkit/kustomization.ts';
import { claimsOf } from './claims.ts';
import { leaseCheck } from './lease.ts';
import type { Run } from './run.ts';

/** How many objects of one Kustomization are written at once. */
const CONCURRENCY = 16;

/** How long definitions and classes may take to be ready, in ms; as with Flux. */
const STAGE_WAIT_MS = 60_000;

/** How the objects of a Kustomization are applied. */
export function applyOptions(
  run: Run,
  object: Kustomization,
  known: ReadonlyMap<string, AppliedRecord>,
  previous: Inventory = { entries: [] },
  revision?: string,
): ApplyOptions {
  return {
    owner: {
      kind: 'Kustomization',
      group: run.ref.group,
      name: object.metadata.name,
      namespace: object.metadata.namespace ?? '',
    },
    fieldManager: FIELD_MANAGER,
    force: object.spec.force,
    concurrency: CONCURRENCY,
    known,
    previous: new Set(previous.entries.flatMap((entry) => parseEntry(entry) ?? []).map(identityOf)),
    ignore: object.spec.ignore ?? [],
    waitTimeout: Math.min(STAGE_WAIT_MS, timeoutOf(object)),
    signal: run.signal,
    now: run.ctx.now,
    sleep: run.ctx.sleep,
    beforeWrite: leaseCheck(run),
    ...(revision === undefined || object.spec.kubeConfig
      ? {}
      : { contested: claimsOf(run, object, revision).contested }),
  };
}
