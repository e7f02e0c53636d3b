import { createRateLimit, rulesOf } from '../lib/notify/rate-limit.ts';
import { releaseWriter } from '../lib/pipeline/cluster-writer.ts';
import type { Context } from '../lib/pipeline/context.ts';
import { deliverStatuses } from '../lib/pipeline/deliver-statuses.ts';
import { handleJob } from '../lib/pipeline/handle-job.ts';
import { sweepSafely } from '../lib/pipeline/sweep.ts';
import { watchCluster } from '../lib/pipeline/watch.ts';
import { work } from '../lib/pipeline/worker.ts';

/** How many pushes are fanned out at a time. */
const PUSHES = 4;

/** Sweeps of one cluster do not follow each other sooner than this, however short the intervals of its objects are. */
const LEAST_PAUSE_MS = 2_000;

/** Runs every part of Slipway in this process until the context's signal aborts: fan-out, workers, sweeps, watches, statuses. */
export async function runLocal(ctx: Context): Promise<void> {
  const clusters = ctx.fleet.clusters.map(({ name }) => name);
  await Promise.all([
    work(ctx, ctx.queues.push, PUSHES, (job) => handleJob(ctx, job)),
    ...clusters.map((name) =>
      work(ctx, ctx.queues.cluster(name), ctx.fleet.limits.concurrency, (job) => handleJob(ctx, job)),
    ),
    ...clusters.map((name) => sweepForever(ctx, name)),
    ...clusters.map((name) => watchCluster(ctx, name)),
    ...ctx.providers.map((provider) =>
      deliverStatuses(ctx, provider, createRateLimit(rulesOf(provider.type), ctx.now)),
    ),
  ]);
  await Promise.allSettled(clusters.map(async (name) => releaseWriter(ctx, await ctx.cluster(name))));
}

/** So much longer than a sweep is the pause after it, at least: in a large cluster, sweeps must not take what runs need. */
const PAUSE_FACTOR = 9;

/** Sweeps at the interval of the fleet file, and sooner when an object is due before that. */
async function sweepForever(ctx: Context, name: string): Promise<void> {
  while (!ctx.signal.aborted) {
    const began = ctx.now();
    await sweepSafely(ctx, name);
    const least = Math.max(LEAST_PAUSE_MS, PAUSE_FACTOR * (ctx.now() - began));
    const due = [...(await ctx.index.dueTimes.all(name)).values()];
    const untilDue = Math.min(...due) - ctx.now();
    const pause = Math.min(ctx.fleet.sweep.interval, Math.max(least, untilDue));
    await ctx.sleep(pause, ctx.signal).catch(() => undefined);
  }
}
