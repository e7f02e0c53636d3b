import type { Condition } from '../core/conditions.ts';
import { getCondition } from '../core/conditions.ts';
import { ReconcileError } from '../core/errors.ts';
import { describe, refOf } from '../core/object.ts';
import type { KubeClient } from '../kube/client.ts';
import { appliedMessage } from './applied-status.ts';
import type { WithStatus } from './status.ts';
import { writeStatus } from './status.ts';

/** What of a status says where it stands. */
interface Revisions {
  lastAppliedRevision?: unknown;
  lastAttemptedRevision?: unknown;
}

/**
 * A Kustomization that a push does not touch counts as applied at the new revision: its status says so, without a run. The
 * Toolkit's own `dependsOn` compares revisions, and so do users who look whether a commit is everywhere.
 * @param object as it was when the push was found not to touch it
 * @throws ReconcileError `ReconciliationFailed` when it has come to another revision since: the push may touch what that one applied
 */
export async function advanceRevision(
  client: KubeClient,
  object: WithStatus,
  revision: string,
): Promise<WithStatus> {
  return writeStatus(client, object, (status) => {
    if (isAtRevision(status, revision)) return status;
    if (!sameRevisions(status, object.status ?? {}))
      throw new ReconcileError(
        'ReconciliationFailed',
        `${describe(refOf(object))} came to another revision while it was moved on to ${revision}; the run is repeated`,
        { outcome: 'retry' },
      );
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

/**
 * Whether a push has moved an object on while a run was at another revision, which the run is about to write over it.
 * @param known the status as the run has read or written it last
 * @param revision the run's; undefined when it never came to know one
 */
export function wasMovedOn(
  known: Revisions | undefined,
  { lastAttemptedRevision: present }: Revisions,
  revision: string | undefined,
): boolean {
  return revision !== undefined && present !== known?.lastAttemptedRevision && present !== revision;
}

/** Applied at a revision, and no run of another one was cut short since. */
export function isAtRevision(
  { lastAppliedRevision, lastAttemptedRevision }: Revisions,
  revision: string,
): boolean {
  return lastAppliedRevision === revision && lastAttemptedRevision === revision;
}

function sameRevisions(one: Revisions, other: Revisions): boolean {
  return (
    one.lastAppliedRevision === other.lastAppliedRevision &&
    one.lastAttemptedRevision === other.lastAttemptedRevision
  );
}
