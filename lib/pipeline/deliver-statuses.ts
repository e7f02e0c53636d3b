import { createDispatcher } from '../notify/dispatch.ts';
import { createRateLimit, DEFAULT_RULES, GITHUB_RULES } from '../notify/rate-limit.ts';
import type { Context, Provider } from './context.ts';

/** How often the outbox is looked into. */
const LOOK_MS = 500;

/** Sends what the outbox holds for a provider, for as long as the context lives. Never holds up a reconcile. */
export async function deliverStatuses(ctx: Context, provider: Provider): Promise<void> {
  const type = ctx.fleet.providers.find(({ name }) => name === provider.name)?.type;
  const dispatcher = createDispatcher({
    destination: provider.name,
    outbox: ctx.index.outbox,
    forge: provider.forge,
    limit: createRateLimit(type === 'github' ? GITHUB_RULES : DEFAULT_RULES, ctx.now),
    log: ctx.log,
    now: ctx.now,
  });
  while (!ctx.signal.aborted) {
    await dispatcher.run();
    await ctx.sleep(LOOK_MS, ctx.signal).catch(() => undefined);
  }
}
