import type { NotifyJob } from '../core/job.ts';
import { createDispatcher, type Dispatcher } from '../notify/dispatch.ts';
import { createRateLimit, rulesOf } from '../notify/rate-limit.ts';
import type { Context, Core } from './context.ts';
import { enqueue, MAX_QUEUE_DELAY_MS } from './enqueue.ts';

/** What sending statuses needs: the outbox and the APIs of the providers. */
export type NotifierContext = Omit<Core, 'providers'> & Pick<Context, 'providers'>;

/** Does jobs for outboxes. */
export interface Notifier {
  /**
   * Sends what the outbox of a provider holds, for as long as there is time; a job for the rest is sent on. Jobs of one provider must
   * come one at a time, which their group in the queue makes sure of.
   * @param endsAt epoch in ms; nothing is begun after it
   */
  deliver(job: NotifyJob, endsAt?: number): Promise<void>;
}

/** Jobs for a later look at the same outbox within this time are one, in ms. */
const LOOK_MS = 10_000;

/** Makes the notifier of a process; what it remembers between jobs only saves calls that would be refused. */
export function createNotifier(ctx: NotifierContext): Notifier {
  let until: number | undefined;
  const dispatchers = new Map<string, Dispatcher>(
    ctx.providers.map(({ name, type, forge }) => {
      const limit = createRateLimit(rulesOf(type), ctx.now);
      const { outbox } = ctx.index;
      const take = () => (until !== undefined && ctx.now() >= until ? LOOK_MS : limit.take());
      const options = {
        destination: name,
        outbox,
        forge,
        limit: { ...limit, take },
        log: ctx.log,
        now: ctx.now,
      };
      return [name, createDispatcher(options)];
    }),
  );
  return {
    async deliver({ destination }, endsAt) {
      until = endsAt;
      const dispatcher = dispatchers.get(destination);
      if (!dispatcher) {
        ctx.log.warn({ destination }, 'statuses wait for a provider that is not in the fleet file');
        return;
      }
      const next = await dispatcher.run();
      if (next === undefined) return;
      // Rounded, so that of all jobs that find the same limit of the provider one is left.
      const at = Math.ceil(Math.max(next, ctx.now() + 1_000) / LOOK_MS) * LOOK_MS;
      await enqueue(ctx, [
        {
          job: { type: 'notify', destination, requestedAt: ctx.now() },
          delayMs: Math.min(at - ctx.now(), MAX_QUEUE_DELAY_MS),
          deduplicationId: `${destination}/${at}`,
        },
      ]);
    },
  };
}
