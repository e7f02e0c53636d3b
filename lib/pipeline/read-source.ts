import type { ToolkitRef } from './object-key.ts';
import { objectKey } from './object-key.ts';
import type { Run } from './run.ts';
import type { WithStatus } from './status.ts';

/** How long a source that was read serves other runs, in ms. */
const SHARED_MS = 1_000;

/** By how much the clock of whoever sent a job may be behind ours, in ms; where it is more, the sweep finds what was missed. */
const SKEW_MS = 250;

interface Reading {
  /** When it was asked for: epoch in ms. */
  at: number;
  source: Promise<WithStatus | undefined>;
}

const readings = new WeakMap<object, Map<string, Reading>>();

/**
 * Reads the source of a Kustomization, or takes what another run has read a moment ago. A push may send a thousand Kustomizations of
 * one source on their way: what was read after a job was sent tells it all that it was sent for.
 */
export function readSource(run: Run, ref: ToolkitRef): Promise<WithStatus | undefined> {
  const now = run.ctx.now();
  const known = readings.get(run.cluster) ?? new Map<string, Reading>();
  readings.set(run.cluster, known);
  const key = objectKey(ref);
  const last = known.get(key);
  if (last && now - last.at < SHARED_MS && last.at >= run.job.requestedAt + SKEW_MS) return last.source;
  for (const [other, { at }] of known) if (now - at >= SHARED_MS) known.delete(other);
  const source = run.client.get<WithStatus>({ ...ref, version: 'v1' });
  known.set(key, { at: now, source });
  source.catch(() => known.delete(key));
  return source;
}
