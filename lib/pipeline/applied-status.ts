import type { Artifact } from '../core/artifact.ts';
import type { Condition, ConditionUpdate } from '../core/conditions.ts';
import { getCondition } from '../core/conditions.ts';
import { withSnapshot } from './history.ts';
import type { Outcome } from './outcome.ts';
import { succeeded } from './outcome.ts';
import type { Run } from './run.ts';

/** The status of a Kustomization that has applied an artifact: its revisions and one more entry in the history. */
export function appliedStatus(
  status: Record<string, unknown>,
  run: Run,
  artifact: Artifact,
  renderedDigest: string,
): Record<string, unknown> {
  const origin = artifact.metadata?.['org.opencontainers.image.revision'];
  const applied = {
    ...status,
    lastAppliedRevision: artifact.revision,
    ...(origin === undefined ? {} : { lastAppliedOriginRevision: origin }),
  };
  return withSnapshot(applied, run, renderedDigest, artifact.revision);
}

/**
 * The outcome of a Kustomization that has applied a revision.
 * @param notice what is to be said beside that, as the end of a sentence; may be empty
 */
export function appliedOutcome(
  revision: string,
  notice: string,
  conditions: ConditionUpdate[] = [],
): Outcome {
  const message = `Applied revision: ${revision}${notice}`;
  return { ...succeeded('ReconciliationSucceeded', message, conditions), notice };
}

/**
 * What Ready says of an applied revision. What stood behind the revision before (objects without effect, what is still to be
 * deleted) holds for a revision that changes nothing, and is kept.
 * @param present the conditions until now
 */
export function appliedMessage(revision: string, present: readonly Condition[] | undefined): string {
  return `Applied revision: ${revision}${presentNotice(present)}`;
}

/** What Ready says behind the revision. */
export function presentNotice(present: readonly Condition[] | undefined): string {
  const ready = getCondition(present, 'Ready');
  const tail =
    ready?.status === 'True' ? /^Applied revision: [^;]+(;.*)$/s.exec(ready.message)?.[1] : undefined;
  return tail ?? '';
}
