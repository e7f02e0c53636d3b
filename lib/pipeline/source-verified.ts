import type { Condition } from '../core/conditions.ts';
import { setCondition } from '../core/conditions.ts';
import { ReconcileError } from '../core/errors.ts';
import type { KubernetesObject } from '../core/object.ts';
import type { Run } from './run.ts';

/** Reasons that say that a signature is missing, is not by a known key, or cannot be checked. */
const UNVERIFIED: ReadonlySet<string> = new Set([
  'VerificationError',
  'InvalidVerificationMode',
  'InvalidGitObject',
  'InvalidTagSignature',
  'InvalidCommitSignature',
]);

/**
 * Fetches, and notes in the status when what was fetched is not signed as it must be. The artifact of before stays: nothing that
 * is not verified is ever applied.
 */
export async function notingUnverified<T>(
  run: Run,
  object: KubernetesObject,
  fetch: () => Promise<T>,
): Promise<T> {
  try {
    return await fetch();
  } catch (error) {
    if (error instanceof ReconcileError && UNVERIFIED.has(error.reason)) {
      const { reason, message } = error;
      const condition = { type: 'SourceVerified', status: 'False' as const, reason, message };
      const generation = object.metadata.generation ?? 0;
      run.attempted = (status) => ({
        ...status,
        conditions: setCondition(
          (status.conditions ?? []) as Condition[],
          condition,
          run.ctx.now(),
          generation,
        ),
      });
    }
    throw error;
  }
}
