import { rfc3339 } from '../core/conditions.ts';
import { formatDuration } from '../core/duration.ts';
import type { Run } from './run.ts';

interface Snapshot {
  digest: string;
  firstReconciled: string;
  lastReconciled: string;
  lastReconciledDuration: string;
  lastReconciledStatus: string;
  totalReconciliations: number;
  metadata?: Record<string, string>;
}

/** As many snapshots as Flux keeps. */
const KEPT = 5;

/** The status with this run in `history`: newest first, one entry for each digest and result. */
export function withSnapshot(
  status: Record<string, unknown>,
  run: Run,
  digest: string,
  revision: string,
): Record<string, unknown> {
  const history = (status.history ?? []) as Snapshot[];
  const result = 'ReconciliationSucceeded';
  const at = rfc3339(run.ctx.now());
  const previous = history.find((item) => item.digest === digest && item.lastReconciledStatus === result);
  const wroteNothing = run.changes.every(({ action }) => action === 'unchanged' || action === 'skipped');
  // A run that finds all as it was must not write: its status would differ by nothing but the time.
  if (previous && previous === history[0] && wroteNothing && previous.metadata?.revision === revision)
    return status;
  const snapshot: Snapshot = {
    digest,
    firstReconciled: previous?.firstReconciled ?? at,
    lastReconciled: at,
    lastReconciledDuration: formatDuration(run.ctx.now() - run.startedAt),
    lastReconciledStatus: result,
    totalReconciliations: (previous?.totalReconciliations ?? 0) + 1,
    metadata: { revision },
  };
  return { ...status, history: [snapshot, ...history.filter((item) => item !== previous)].slice(0, KEPT) };
}
