import type { ChangeSetEntry } from '../core/changeset.ts';
import type { ReconcileJob } from '../core/job.ts';
import type { KubeClient } from '../kube/client.ts';
import type { Log } from '../log.ts';
import type { Lease } from '../store/leases.ts';
import { conceal } from './conceal.ts';
import type { ClusterConnection, Context } from './context.ts';
import type { ToolkitRef } from './object-key.ts';

/** One reconcile of one object: what it works with, and what it has done so far. */
export interface Run {
  id: string;
  ctx: Context;
  cluster: ClusterConnection;
  /** The cluster's API with the worker's own rights: for Toolkit objects, their status and events. */
  client: KubeClient;
  job: ReconcileJob;
  ref: ToolkitRef;
  lease: Lease;
  log: Log;
  /** The object as the run met it; a run says nothing of what was written to it since. */
  seen: { uid: string; generation: number; requestedAt?: string };
  /** Whether the last run that came to an end did not succeed, as the object's status has it. */
  afterFailure: boolean;
  /** Epoch in ms. */
  startedAt: number;
  /** What each step took, in the order they ended. */
  steps: { name: string; ms: number }[];
  changes: ChangeSetEntry[];
  /** Texts that must not be written or shown: what was decrypted, and variables from Secrets. It grows as they are read. */
  secrets: string[];
  /** What is worth telling beside the result, such as a checksum that does not fit. */
  warnings: string[];
  /** What a run that fails from here on still has to say in the status: the revision it tried. */
  attempted: (status: Record<string, unknown>) => Record<string, unknown>;
  /** The revision of its source that it is about, as soon as that is known; it may end before it tries it. */
  revision?: string;
  /** Aborts when the process shuts down or the lease is lost. */
  signal: AbortSignal;
}

/** Runs one step of a reconcile and records how long it took, also when it throws; what it throws holds no secret of the run. */
export async function step<T>(run: Run, name: string, work: () => Promise<T>): Promise<T> {
  const began = run.ctx.now();
  const attributes = { cluster: run.job.cluster, kind: run.ref.kind };
  try {
    return await run.ctx.telemetry.span(`slipway.${name}`, attributes, async () => {
      try {
        return await work();
      } catch (error) {
        conceal(error, run.secrets);
        throw error;
      }
    });
  } finally {
    const ms = run.ctx.now() - began;
    run.steps.push({ name, ms });
    run.ctx.telemetry.duration(`slipway.step.${name}`, ms, attributes);
  }
}
