import type { PRICES } from './prices.ts';

/** How much of everything is used in a month, by the names of {@link PRICES}. */
export type Usage = Record<keyof typeof PRICES, number>;

/** What an installation looks like. */
export interface Installation {
  clusters: number;
  /** `sweep.interval`, in ms. */
  sweepMs: number;
  /** Toolkit objects in each cluster. */
  objects: number;
  /** How often sources are looked at in each cluster, in an hour: the root every minute by default, others as their interval says. */
  sourceRuns: number;
}

/**
 * What one tick and one sweep of an idle cluster ask of the table, in DynamoDB's units. test/features/idle-cost.test.ts counts them with
 * the production code on a real API server, and fails when these are too low or far too high.
 */
export const IDLE = {
  /** For each cluster, when every tick sweeps it; more where the interval is longer, since the last sweep is looked up. */
  tick: { reads: 1, writes: 0, sparseReads: 1, sparseWrites: 1 },
  sweep: { reads: 13, readsPerObject: 0.25, writes: 2.5 },
  /** One look at a source that has not moved. */
  run: { reads: 9, writes: 4.5 },
} as const;

/**
 * What cannot be counted without an account. Lambda asks an empty queue by five long polls at a time; the times are those of an
 * installation in one region, written down generously.
 */
const ASSUMED = {
  pollsPerMinute: 15,
  tickSeconds: 0.2,
  tickSecondsPerCluster: 0.002,
  tickGigabytes: 0.5,
  sweepSeconds: 0.5,
  runSeconds: 0.8,
  workerGigabytes: 2,
  logBytesPerInvocation: 600,
  /** A secret that was read is used for a minute, as long as a tick. */
  secretReadsPerSweep: 1,
};

const MINUTES = 30 * 24 * 60;

/** The alarms of the stacks; a test counts them in the templates. */
export const ALARMS = { core: 22, cluster: 4 };

/** The use of a month in which nobody pushes and nothing drifts. */
export function idleMonth({ clusters, sweepMs, objects, sourceRuns }: Installation): Usage {
  const sweeps = (MINUTES * 60_000) / Math.max(60_000, sweepMs);
  const isSparse = sweepMs > 60_000;
  const runs = (MINUTES / 60) * sourceRuns;
  const { tick, sweep, run } = IDLE;
  const polls = MINUTES * ASSUMED.pollsPerMinute;
  const jobs = clusters * (sweeps + runs);
  const invocations = MINUTES + jobs;
  return {
    lambdaSeconds:
      MINUTES * (ASSUMED.tickSeconds + clusters * ASSUMED.tickSecondsPerCluster) * ASSUMED.tickGigabytes +
      clusters * (sweeps * ASSUMED.sweepSeconds + runs * ASSUMED.runSeconds) * ASSUMED.workerGigabytes,
    lambdaRequests: invocations,
    // Pushes, statuses and one queue a cluster are asked; each job is sent, received and deleted, a held-back one in two queues.
    sqsFifo: (2 + clusters) * polls + jobs * 3,
    sqsStandard: polls + clusters * runs * 3,
    dynamoReads:
      clusters * MINUTES * (tick.reads + (isSparse ? tick.sparseReads : 0)) +
      clusters * (sweeps * (sweep.reads + objects * sweep.readsPerObject) + runs * run.reads),
    dynamoWrites:
      clusters * sweeps * (tick.writes + (isSparse ? tick.sparseWrites : 0)) +
      clusters * (sweeps * sweep.writes + runs * run.writes),
    logs: (invocations * ASSUMED.logBytesPerInvocation) / 1e9,
    alarms: ALARMS.core + clusters * ALARMS.cluster,
    secrets: 2 + clusters,
    secretReads: clusters * sweeps * ASSUMED.secretReadsPerSweep,
  };
}
