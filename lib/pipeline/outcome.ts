import type { Condition, ConditionUpdate } from '../core/conditions.ts';
import { getCondition } from '../core/conditions.ts';
import { messageOf, ReconcileError } from '../core/errors.ts';
import { isTransient, KubeError } from '../kube/errors.ts';

/** What a reconcile came to. */
export interface Outcome {
  /** `waiting`: nothing is wrong, something is not there yet. */
  result: 'success' | 'failure' | 'waiting';
  ready: ConditionUpdate;
  /** What logs, runs and events say in place of the Ready message, where that holds what is for readers of the object alone. */
  told?: string;
  /** Further conditions to set; those in `remove` are taken away. */
  conditions: ConditionUpdate[];
  remove: string[];
  /** When to run again, in ms from now; undefined: at the object's interval. */
  requeueAfterMs: number | undefined;
  /** What the next run is for, where `requeueAfterMs` is set; by default told from the result. */
  again?: 'prune';
  /** What a success leaves to be desired, as the end of a sentence: stands in the message of Ready, and in the status of the commit. */
  notice?: string;
  /** Nothing but a change of the object or of its inputs can help. */
  stalled: boolean;
  /** The run has done something worth telling, though the condition is as it was. */
  isNews?: true;
}

/** What the kind says of itself for the outcome of an error. */
export interface RetryPolicy {
  /** The reason for an error that carries none. */
  reason: string;
  /** `retryInterval`, in ms. */
  retryMs: number;
  /** How many runs in a row have failed before this one. */
  failures: number;
  /** For how long it has not been ready, in ms. Default: 0. */
  waitedMs?: number;
}

/** The first retry comes soon and the pause doubles up to the object's own `retryInterval`, so that a passing fault heals quickly. */
const FIRST_RETRY_MS = 2_000;

/**
 * What is waited for releases those who wait at once. They look themselves in case that is missed: at first often, then ever more rarely, as
 * Flux does all the time (`--requeue-dependency`).
 */
const LAST_LOOK_MS = 30_000;

/** The outcome of a reconcile that reached its end. */
export function succeeded(reason: string, message: string, conditions: ConditionUpdate[] = []): Outcome {
  return {
    result: 'success',
    ready: { type: 'Ready', status: 'True', reason, message },
    conditions,
    remove: ['Reconciling', 'Stalled'],
    requeueAfterMs: undefined,
    stalled: false,
  };
}

/** The outcome of a reconcile that goes on later: health checks that are still in progress. */
export function progressing(
  reason: string,
  message: string,
  requeueAfterMs: number,
  conditions: ConditionUpdate[] = [],
): Outcome {
  return {
    result: 'waiting',
    ready: { type: 'Ready', status: 'Unknown', reason, message },
    conditions: [{ type: 'Reconciling', status: 'True', reason, message }, ...conditions],
    remove: ['Stalled'],
    requeueAfterMs,
    stalled: false,
  };
}

/** The one place where an error becomes conditions and a time to try again. Never throws. */
export function failed(error: unknown, policy: RetryPolicy, random: () => number): Outcome {
  const { reason, message, outcome, retryAfter } = interpret(error, policy.reason);
  const ready: ConditionUpdate = { type: 'Ready', status: 'False', reason, message };
  if (outcome === 'stall') {
    const stalled: ConditionUpdate = { ...ready, type: 'Stalled', status: 'True' };
    return {
      result: 'failure',
      ready,
      conditions: [stalled],
      remove: ['Reconciling'],
      requeueAfterMs: undefined,
      stalled: true,
    };
  }
  const reconciling: ConditionUpdate = {
    type: 'Reconciling',
    status: 'True',
    reason: 'ProgressingWithRetry',
    message,
  };
  const growing =
    outcome === 'wait'
      ? Math.min(LAST_LOOK_MS, Math.max(FIRST_RETRY_MS, (policy.waitedMs ?? 0) / 4))
      : FIRST_RETRY_MS * 2 ** Math.min(policy.failures, 20);
  const backoff = Math.min(policy.retryMs, growing);
  const jittered = backoff * (0.9 + 0.2 * random());
  return {
    result: outcome === 'wait' ? 'waiting' : 'failure',
    ready,
    conditions: [reconciling],
    remove: ['Stalled'],
    requeueAfterMs: Math.max(
      retryAfter ?? 0,
      outcome === 'wait' && retryAfter !== undefined ? retryAfter : jittered,
    ),
    stalled: false,
  };
}

/** Whether two outcomes tell the user the same. */
export function sameReady(previous: readonly Condition[] | undefined, outcome: Outcome): boolean {
  const ready = getCondition(previous, 'Ready');
  return (
    ready?.status === outcome.ready.status &&
    ready.reason === outcome.ready.reason &&
    ready.message === outcome.ready.message
  );
}

function interpret(error: unknown, fallback: string) {
  if (error instanceof ReconcileError) {
    const { reason, message, outcome, retryAfter } = error;
    return { reason, message, outcome, retryAfter };
  }
  if (error instanceof KubeError) {
    const hint = error.code === 403 ? '; grant the right to the account that applies' : '';
    const retryAfter = isTransient(error) ? error.retryAfter : undefined;
    return { reason: fallback, message: `${error.message}${hint}`, outcome: 'retry' as const, retryAfter };
  }
  return { reason: fallback, message: messageOf(error), outcome: 'retry' as const, retryAfter: undefined };
}
