import type { Condition } from '../core/conditions.ts';
import { getCondition } from '../core/conditions.ts';
import type { KubeClient } from '../kube/client.ts';
import { appliedMessage } from './applied-status.ts';
import type { WithStatus } from './status.ts';
import { writeStatus } from './status.ts';

/**
 * A Kustomization that a push does not touch counts as applied at the new revision: its status says so, without a run. The
 * Toolkit's own `dependsOn` compares revisions, and so do users who look whether a commit is everywhere.
 */
export async function advanceRevision(
  client: KubeClient,
  object: WithStatus,
  revision: string,
): Promise<WithStatus> {
  return writeStatus(client, object, (status) => {
    const conditions = (status.conditions ?? []) as Condition[];
    const ready = getCondition(conditions, 'Ready');
    if (ready?.status !== 'True') return status;
    const message = appliedMessage(revision, conditions);
    return {
      ...advancedStatus(status, revision),
      conditions: conditions.map((condition) =>
        condition.type === 'Ready' ? { ...condition, message } : condition,
      ),
    };
  });
}

/** The status with both revisions moved on. */
export function advancedStatus(status: Record<string, unknown>, revision: string): Record<string, unknown> {
  return { ...status, lastAppliedRevision: revision, lastAttemptedRevision: revision };
}
