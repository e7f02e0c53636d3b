import { commitOf } from '../core/revision.ts';
import type { GitRepository } from '../toolkit/git-repository.ts';
import { digestIntervalOf, type ImagePolicy } from '../toolkit/image-policy.ts';
import { formatImageRef } from '../toolkit/image-ref.ts';
import type { ImageRepository } from '../toolkit/image-repository.ts';
import type { ImageUpdateAutomation } from '../toolkit/image-update-automation.ts';
import { intervalOf, retryIntervalOf } from '../toolkit/intervals.ts';
import type { Kustomization } from '../toolkit/kustomization.ts';
import { type Receiver, receiverIntervalOf } from '../toolkit/receiver.ts';
import type { ToolkitRef } from './object-key.ts';
import type { RetryPolicy } from './outcome.ts';
import type { WithStatus } from './status.ts';

/** A policy runs when its image has other tags; looked at now and then, it makes up for an event that was lost. In ms. */
const POLICY_INTERVAL_MS = 3_600_000;
/** The longest pause before a policy that failed is tried again, in ms. */
const POLICY_RETRY_MS = 600_000;

/**
 * What the pipeline knows of a kind of Toolkit object that it reconciles. What it does for one stands in `kind-work.ts`, which brings the whole
 * pipeline with it: commands that only show objects start without that.
 */
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
  },
  ImageRepository: {
    group: 'image.toolkit.fluxcd.io',
    version: 'v1',
    suspended: (object) => (object as ImageRepository).spec.suspend === true,
    intervalMs: (object) => intervalOf(object as ImageRepository),
    retryPolicy: (object, failures) => ({
      reason: 'ReadOperationFailed',
      retryMs: intervalOf(object as ImageRepository),
      failures,
    }),
    revision: (object) => (object as ImageRepository).status?.lastScanResult?.revision,
    // Images follow no commit; they are at most guests in the rollout of the one that wrote them.
    attempted: () => undefined,
  },
  ImagePolicy: {
    group: 'image.toolkit.fluxcd.io',
    version: 'v1',
    suspended: (object) => (object as ImagePolicy).spec.suspend === true,
    intervalMs: (object) => digestIntervalOf(object as ImagePolicy) ?? POLICY_INTERVAL_MS,
    retryPolicy: (_object, failures) => ({ reason: 'Failure', retryMs: POLICY_RETRY_MS, failures }),
    revision: (object) => {
      const latest = (object as ImagePolicy).status?.latestRef;
      return latest && formatImageRef(latest);
    },
    attempted: () => undefined,
  },
  Receiver: {
    group: 'notification.toolkit.fluxcd.io',
    version: 'v1',
    suspended: (object) => (object as Receiver).spec.suspend === true,
    intervalMs: (object) => receiverIntervalOf(object as Receiver),
    retryPolicy: (object, failures) => ({
      reason: 'Failed',
      retryMs: receiverIntervalOf(object as Receiver),
      failures,
    }),
    revision: () => undefined,
    attempted: () => undefined,
  },
  ImageUpdateAutomation: {
    group: 'image.toolkit.fluxcd.io',
    version: 'v1',
    suspended: (object) => (object as ImageUpdateAutomation).spec.suspend === true,
    intervalMs: (object) => intervalOf(object as ImageUpdateAutomation),
    retryPolicy: (object, failures) => ({
      reason: 'GitOperationFailed',
      retryMs: intervalOf(object as ImageUpdateAutomation),
      failures,
    }),
    revision: (object) => (object as ImageUpdateAutomation).status?.observedSourceRevision,
    // It makes commits and is not part of the rollout of any.
    attempted: () => undefined,
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
