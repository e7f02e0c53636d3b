import type { Outcome } from './outcome.ts';
import type { WithStatus } from './status.ts';

/** The result of a kind's own work; `settle` writes it. */
export interface Reconciled {
  /** The object as the server has it now. */
  object: WithStatus;
  outcome: Outcome;
  /** What the kind writes into the status, together with the conditions of the outcome. */
  status?: (status: Record<string, unknown>) => Record<string, unknown>;
  /** What follows once the status is written; repeated when a crash comes in between. */
  afterwards?: (written: WithStatus) => Promise<void>;
}
