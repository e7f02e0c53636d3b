import { commitOf } from '../core/revision.ts';
import type { GitRepository } from '../toolkit/git-repository.ts';
import { intervalOf, retryIntervalOf } from '../toolkit/intervals.ts';
import type { Kustomization } from '../toolkit/kustomization.ts';
import { reconcileGitRepository } from './git-repository.ts';
import { reconcileKustomization } from './kustomization.ts';
import type { ToolkitRef } from './object-key.ts';
import type { RetryPolicy } from './outcome.ts';
import { pruneInventory } from './prune-inventory.ts';
import type { Reconciled } from './reconciled.ts';
import type { Run } from './run.ts';
import type { WithStatus } from './status.ts';

/** What the pipeline knows of a kind of Toolkit object that it reconciles. */
export interface Kind {
  group: string;
  version: string;
  suspended(object: WithStatus): boolean;
  intervalMs(object: WithStatus): number;
  retryPolicy(object: WithStatus, failures: number): RetryPolicy;
  /** The revision that the object has applied or holds now. */
  revision(object: WithStatus): string | undefined;
  /** The revision that its last run tried. */
  attempted(object: WithStatus): string | undefined;
  reconcile(run: Run, object: WithStatus): Promise<Reconciled>;
  /** Takes away what the object has made, before it goes itself. @returns what became of it, in words */
  cleanUp(run: Run, object: WithStatus): Promise<string>;
}

/** The kinds that are reconciled, by name. */
export const kinds: Readonly<Record<string, Kind>> = {
  GitRepository: {
    group: 'source.toolkit.fluxcd.io',
    version: 'v1',
    suspended: (object) => (object as GitRepository).spec.suspend === true,
    intervalMs: (object) => intervalOf(object as GitRepository),
    retryPolicy: (object, failures) => ({
      reason: 'GitOperationFailed',
      retryMs: intervalOf(object as GitRepository),
      failures,
    }),
    revision: (object) => (object as GitRepository).status?.artifact?.revision,
    attempted: (object) => (object as GitRepository).status?.artifact?.revision,
    reconcile: (run, object) => reconcileGitRepository(run, object as GitRepository),
    cleanUp: () => Promise.resolve('deleted'),
  },
  Kustomization: {
    group: 'kustomize.toolkit.fluxcd.io',
    version: 'v1',
    suspended: (object) => (object as Kustomization).spec.suspend === true,
    intervalMs: (object) => intervalOf(object as Kustomization),
    retryPolicy: (object, failures) => ({
      reason: 'ReconciliationFailed',
      retryMs: retryIntervalOf(object as Kustomization),
      failures,
    }),
    revision: (object) => (object as Kustomization).status?.lastAppliedRevision,
    attempted: (object) => (object as Kustomization).status?.lastAttemptedRevision,
    reconcile: (run, object) => reconcileKustomization(run, object as Kustomization),
    cleanUp: (run, object) => pruneInventory(run, object as Kustomization),
  },
};

/** Whether the pipeline reconciles objects of this group and kind. */
export function isReconciled(ref: Pick<ToolkitRef, 'group' | 'kind'>): boolean {
  return kinds[ref.kind]?.group === ref.group;
}

/** The commit that an object's last run was about. */
export function attemptedCommit(kind: Kind, object: WithStatus): string {
  return commitOf(kind.attempted(object));
}
