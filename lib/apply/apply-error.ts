import { ReconcileError, type ReconcileErrorOptions } from '../core/errors.ts';
import type { ApplyResult } from './types.ts';

/** An apply that stopped: what was done before is in `result` and must reach the index and the run. */
export class ApplyError extends ReconcileError {
  readonly result: ApplyResult;

  constructor(reason: string, message: string, result: ApplyResult, options: ReconcileErrorOptions = {}) {
    super(reason, message, options);
    this.result = result;
  }
}
