import process from 'node:process';
import type { Log } from '../lib/log.ts';
import type { Context } from '../lib/pipeline/context.ts';
import { handleJob } from '../lib/pipeline/handle-job.ts';
import { openCore } from './aws/core.ts';
import type { Environment } from './aws/environment.ts';
import { keepOpen, type Opened } from './aws/lambda.ts';
import { logOf } from './aws/log.ts';
import { type QueueHandler, type QueueWork, queueHandler } from './aws/queue-event.ts';
import { openAwsWorker } from './aws/worker.ts';

/** So long before the end of an invocation a run writes nothing more, in ms: what it has begun must be settled by then. */
const MARGIN_MS = 90_000;

/** Does the jobs of one cluster, its sweeps among them. It holds the credential of that cluster and of no other. */
export async function openReconcile(
  environment: Environment,
  log: Log = logOf(environment),
): Promise<Opened & QueueWork<Context>> {
  const { cluster } = environment;
  if (cluster === undefined)
    throw new Error('SLIPWAY_CLUSTER is not set: it names the one cluster whose jobs this function does');
  const stop = new AbortController();
  // Lambda says it when an extension runs beside the function, containers always.
  process.once('SIGTERM', () => {
    log.info('stopping: jobs under way are given back');
    stop.abort(new Error('stopped by SIGTERM'));
  });
  const worker = await openAwsWorker(await openCore(environment, log, stop.signal), cluster);
  return {
    ...worker,
    queue: worker.ctx.queues.cluster(cluster),
    marginMs: MARGIN_MS,
    handle: (ctx, job) => handleJob(ctx, job),
  };
}

export const handler: QueueHandler = queueHandler(keepOpen(openReconcile));
