import type { Log } from '../lib/log.ts';
import type { Core } from '../lib/pipeline/context.ts';
import { fanOut } from '../lib/pipeline/fan-out.ts';
import { fanOutImage } from '../lib/pipeline/image-fan-out.ts';
import { openCore } from './aws/core.ts';
import type { Environment } from './aws/environment.ts';
import { keepOpen, type Opened } from './aws/lambda.ts';
import { type QueueHandler, type QueueWork, queueHandler } from './aws/queue-event.ts';

/** Turns pushes into jobs for the clusters that follow them. It holds no credential of a cluster. */
export async function openFanout(environment: Environment, log?: Log): Promise<Opened & QueueWork<Core>> {
  const core = await openCore(environment, log);
  return {
    ...core,
    queue: core.ctx.queues.push,
    marginMs: 20_000,
    async handle(ctx, job) {
      if (job.type === 'push') await fanOut(ctx, job);
      else if (job.type === 'image') await fanOutImage(ctx, job);
      else throw new Error(`a job of type ${job.type} went astray: this queue is for pushes`);
      return 'done';
    },
  };
}

export const handler: QueueHandler = queueHandler(keepOpen(openFanout));
