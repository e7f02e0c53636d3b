import { createDispatcher } from '../notify/dispatch.ts';
import type { RateLimit } from '../notify/rate-limit.ts';
import type { Context, Provider } from './context.ts';

/** How often the outbox is looked into, in ms. */
const LOOK_MS = 250;

/** Sends what the outbox holds for a provider, for as long as the context lives. It never holds up a reconcile. */
export async function deliverStatuses(ctx: Context, provider: Provider, limit: RateLimit): Promise<void> {
  const { outbox } = ctx.index;
  const { forge, name: destination } = provider;
  const dispatcher = createDispatcher({ destination, outbox, forge, limit, log: ctx.log, now: ctx.now });
  while (!ctx.signal.aborted) {
    await dispatcher.run();
    await ctx.sleep(LOOK_MS, ctx.signal).catch(() => undefined);
  }
}
