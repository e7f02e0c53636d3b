import { createHttp } from '../lib/http.ts';
import type { Log } from '../lib/log.ts';
import { createNetworkPolicy } from '../lib/network.ts';
import { createNotifier, type NotifierContext } from '../lib/pipeline/notifier.ts';
import { openCore } from './aws/core.ts';
import type { Environment } from './aws/environment.ts';
import { keepOpen, type Opened } from './aws/lambda.ts';
import { type QueueHandler, type QueueWork, queueHandler } from './aws/queue-event.ts';
import { openProviders } from './open-sources.ts';

/** Sends commit statuses. It holds the tokens of the providers and no credential of a cluster. */
export async function openNotify(
  environment: Environment,
  log?: Log,
): Promise<Opened & QueueWork<NotifierContext>> {
  const core = await openCore(environment, log);
  const { network, limits } = core.open.fleet;
  const policy = createNetworkPolicy({ allow: network.allow });
  const http = createHttp({
    policy,
    timeoutMs: limits.requestTimeout,
    maxBytes: 10_485_760,
    userAgent: 'slipway',
  });
  const ctx = { ...core.ctx, providers: openProviders(core.open, http) };
  const notifier = createNotifier(ctx);
  return {
    ...core,
    ctx,
    queue: core.ctx.queues.notify,
    marginMs: 60_000,
    async handle({ endsAt }, job) {
      if (job.type !== 'notify')
        throw new Error(`a job of type ${job.type} went astray: this queue is for outboxes`);
      await notifier.deliver(job, endsAt);
      return 'done';
    },
    async close() {
      await Promise.all([http.close(), core.close()]);
    },
  };
}

export const handler: QueueHandler = queueHandler(keepOpen(openNotify));
