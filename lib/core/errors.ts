import { redact } from './redact.ts';

/**
 * What the pipeline does after an error:
 * - `retry`: run again with backoff (a fault that may pass),
 * - `wait`: run again after `retryAfter` (something is known to be not ready yet),
 * - `stall`: do not run again until the object, its source or its inputs change (the user must act).
 */
export type Outcome = 'retry' | 'wait' | 'stall';

/** Options of {@link ReconcileError}. */
export interface ReconcileErrorOptions {
  /** Default: `retry`. */
  outcome?: Outcome;
  /** For `wait` and `retry`: when to run again at the earliest, in ms from now. */
  retryAfter?: number;
  /** The error below this one. */
  cause?: unknown;
  /** Secret values that must not appear in the message. */
  secrets?: readonly string[];
}

/**
 * The one error type of a reconcile. Its `reason` is a condition reason of the Toolkit (CamelCase), its message names the
 * object, what is wrong and what to do. Only `lib/pipeline/outcome.ts` turns it into conditions, due times and events.
 * Secrets are removed when the error is made, so that no later print can leak them.
 */
export class ReconcileError extends Error {
  override readonly name = 'ReconcileError';
  readonly reason: string;
  readonly outcome: Outcome;
  readonly retryAfter: number | undefined;

  /**
   * @param reason a Toolkit condition reason such as `BuildFailed`
   * @param message the object, what is wrong, what to do
   */
  constructor(reason: string, message: string, options: ReconcileErrorOptions = {}) {
    super(
      redact(message, options.secrets),
      options.cause === undefined ? undefined : { cause: options.cause },
    );
    this.reason = reason;
    this.outcome = options.outcome ?? 'retry';
    this.retryAfter = options.retryAfter;
  }
}

/** The message of anything thrown, with its secrets removed. */
export function messageOf(error: unknown): string {
  return redact(error instanceof Error ? error.message : String(error));
}
