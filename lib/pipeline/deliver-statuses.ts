import { createDispatcher } from '../notify/dispatch.ts';
import type { RateLimit } from '../notify/rate-limit.ts';
import type { Context, Provider } from './context.ts';

/** How often the outbox is looked into, in ms; less often where it has to be looked for in many clusters. */
const LOOK_MS = 250;
const LOOK_MS_PER_CLUSTER = 2;

/** Sends what the outbox holds for a provider, for as long as the context lives. It never holds up a reconcile. */
export async function deliverStatuses(ctx: Context, provider: Provider, limit: RateLimit): Promise<void> {
  const { outbox } = ctx.index;
  const { forge, name: destination } = provider;
  const dispatcher = createDispatcher({ destination, outbox, forge, limit, log: ctx.log, now: ctx.now });
  const pause = Math.max(LOOK_MS, LOOK_MS_PER_CLUSTER * ctx.fleet.clusters.length);
  while (!ctx.signal.aborted) {
    await dispatcher.run();
    await ctx.sleep(pause, ctx.signal).catch(() => undefined);
  }
}
