import type { Artifact } from '../core/artifact.ts';
import { withSnapshot } from './history.ts';
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
