import { messageOf } from '../core/errors.ts';
import type { Core } from './context.ts';
import { enqueue } from './enqueue.ts';

/** How often the tick comes, in ms; where sweeps are wanted less often, most ticks send none. */
export const TICK_MS = 60_000;

/**
 * What comes by the clock where no process runs all the time: a sweep job for each cluster that is to be looked over, and a job for each
 * outbox with something to send, should its own have been lost.
 * @throws Error naming what could not be sent; everything else was
 */
export async function tick(ctx: Core): Promise<void> {
  const work = [
    ...ctx.fleet.clusters.map(({ name }) => ({ name: `cluster ${name}`, act: () => sendSweep(ctx, name) })),
    ...ctx.providers.map(({ name }) => ({ name: `provider ${name}`, act: () => sendNotify(ctx, name) })),
  ];
  const results = await Promise.allSettled(work.map(({ act }) => act()));
  const faults = results.flatMap((result, index) =>
    result.status === 'rejected' ? [`${work[index]?.name}: ${messageOf(result.reason)}`] : [],
  );
  if (faults.length > 0)
    throw new Error(`the tick could not send everything; the next one tries again. ${faults.join('; ')}`);
}

async function sendSweep(ctx: Core, cluster: string): Promise<void> {
  const now = ctx.now();
  const partition = `ticks#${cluster}`;
  // A tick comes a moment early or late, so one that is nearly due counts as due.
  const isSparse = ctx.fleet.sweep.interval > TICK_MS;
  if (isSparse) {
    const last = await ctx.index.rows.get<number>(partition, 'sent');
    if (last && now - last.value < ctx.fleet.sweep.interval - TICK_MS / 2) return;
  }
  await enqueue(ctx, [{ job: { type: 'sweep', cluster, requestedAt: now } }]);
  if (isSparse) await ctx.index.rows.put(partition, 'sent', now);
}

async function sendNotify(ctx: Core, destination: string): Promise<void> {
  if ((await ctx.index.outbox.pending(destination, 1)).length === 0) return;
  await enqueue(ctx, [{ job: { type: 'notify', destination, requestedAt: ctx.now() } }]);
}
