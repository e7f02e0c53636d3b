import type { AppliedRecord, ApplyOptions } from '../apply/types.ts';
import { ReconcileError } from '../core/errors.ts';
import type { Inventory } from '../core/inventory.ts';
import { parseEntry } from '../core/inventory.ts';
import { identityOf } from '../core/object.ts';
import { FIELD_MANAGER } from '../toolkit/annotations.ts';
import { timeoutOf } from '../toolkit/intervals.ts';
import type { Kustomization } from '../toolkit/kustomization.ts';
import type { Run } from './run.ts';

/** How many objects of one Kustomization are written at once. */
const CONCURRENCY = 16;

/** How the objects of a Kustomization are applied. */
export function applyOptions(
  run: Run,
  object: Kustomization,
  known: ReadonlyMap<string, AppliedRecord>,
  previous: Inventory = { entries: [] },
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
    waitTimeout: timeoutOf(object),
    signal: run.signal,
    now: run.ctx.now,
    beforeWrite: () => checkLease(run),
  };
}

/** Stops a run that has lost its lease: another worker may be writing by now. */
export async function checkLease(run: Run): Promise<void> {
  run.signal.throwIfAborted();
  if (await run.ctx.index.leases.check(run.lease)) return;
  throw new ReconcileError(
    'ReconciliationFailed',
    'another worker has taken this object over; this run ends',
    {
      outcome: 'retry',
    },
  );
}
