import type { ChangeSetEntry } from '../core/changeset.ts';
import type { RunRecord } from '../store/runs.ts';

/** `420 ms`, `3.1 s`, `2 min 5 s`. */
export function formatMs(ms: number): string {
  if (ms < 1_000) return `${Math.max(0, Math.round(ms))} ms`;
  if (ms < 60_000) return `${(ms / 1_000).toFixed(1)} s`;
  const seconds = Math.round(ms / 1_000);
  return `${Math.floor(seconds / 60)} min ${seconds % 60} s`;
}

/** How long ago something was: `just now`, `5 min ago`, `3 h ago`, `12 days ago`. Both in epoch ms. */
export function formatAgo(then: number, now: number): string {
  const minutes = Math.floor((now - then) / 60_000);
  if (minutes < 1) return 'just now';
  if (minutes < 60) return `${minutes} min ago`;
  const hours = Math.floor(minutes / 60);
  if (hours < 48) return `${hours} h ago`;
  return `${Math.floor(hours / 24)} days ago`;
}

/** `2026-05-01 12:00:00 UTC`. */
export function formatTime(epochMs: number): string {
  return `${new Date(epochMs).toISOString().slice(0, 19).replace('T', ' ')} UTC`;
}

/** `2 created, 1 configured, 12 unchanged`; empty when nothing was looked at. */
export function formatCounts(changes: readonly ChangeSetEntry[]): string {
  const counts = new Map<string, number>();
  for (const { action } of changes) counts.set(action, (counts.get(action) ?? 0) + 1);
  return (['created', 'configured', 'deleted', 'skipped', 'unchanged'] as const)
    .filter((action) => counts.has(action))
    .map((action) => `${counts.get(action)} ${action}`)
    .join(', ');
}

/** `Kustomization/apps/podinfo`: the key under which runs of an object are listed. */
export function objectKey({ object }: Pick<RunRecord, 'object'>): string {
  return `${object.kind}/${object.namespace}/${object.name}`;
}

/** `Kustomization apps/podinfo`, as a person says it. */
export function objectName({ object }: Pick<RunRecord, 'object'>): string {
  return `${object.kind} ${object.namespace === '' ? '' : `${object.namespace}/`}${object.name}`;
}
