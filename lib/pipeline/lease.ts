import { ReconcileError } from '../core/errors.ts';
import type { Run } from './run.ts';

/** How long a look at the lease is good for, in ms. */
const LOOK_MS = 1_000;

/** The end of a run that has lost its lease. */
export function leaseLost(): ReconcileError {
  const message = 'another worker has taken this object over; this run ends';
  return new ReconcileError('ReconciliationFailed', message, { outcome: 'retry' });
}

/** The end of a run for which there is no time left; it goes on in a new one, where this one stopped. */
export class OutOfTime extends ReconcileError {
  constructor() {
    const message = 'the time of this worker is over; the run goes on in another one, where it stopped';
    super('Progressing', message, { outcome: 'wait', retryAfter: 0 });
  }
}

/** Stops a run that has lost its lease: another worker may be writing by now. */
export async function checkLease(run: Run): Promise<void> {
  run.signal.throwIfAborted();
  if (!(await run.ctx.index.leases.check(run.lease))) throw leaseLost();
}

/** The same, asking the index at most once a second, and always after a pause, when the process may have been frozen. */
export function leaseCheck(run: Run): () => Promise<void> {
  let checkedAt = Number.NEGATIVE_INFINITY;
  return async () => {
    run.signal.throwIfAborted();
    const { endsAt } = run.ctx;
    if (endsAt !== undefined && run.ctx.now() >= endsAt) throw new OutOfTime();
    if (run.ctx.now() - checkedAt < LOOK_MS) return;
    await checkLease(run);
    checkedAt = run.ctx.now();
  };
}
