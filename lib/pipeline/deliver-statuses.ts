import { messageOf } from '../core/errors.ts';
import type { Context, Provider } from './context.ts';

/** How often the outbox is looked into. */
const LOOK_MS = 500;
const RETRY_MS = 5_000;

/** Sends what the outbox holds for a provider, for as long as the context lives. Never holds up a reconcile. */
export async function deliverStatuses(ctx: Context, provider: Provider): Promise<void> {
  while (!ctx.signal.aborted) {
    for (const entry of await ctx.index.outbox.pending(provider.name, 50)) {
      try {
        await provider.forge.setCommitStatus(entry.status);
        await ctx.index.outbox.sent(entry);
      } catch (error) {
        ctx.log.warn(
          { error: messageOf(error), context: entry.status.context },
          'a commit status could not be sent',
        );
        await ctx.index.outbox.failed(entry, ctx.now() + RETRY_MS);
      }
    }
    await ctx.sleep(LOOK_MS, ctx.signal).catch(() => undefined);
  }
}
