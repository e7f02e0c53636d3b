/**
 * Slipway as it runs on AWS, on this machine: the real handlers of its functions, invoked with events as Lambda makes them, over servers
 * that speak SQS, S3 and DynamoDB. Each function has environments of its own, that share nothing but what AWS would share.
 */
import { randomBytes } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { openApi } from '../../functions/api.ts';
import { openCore } from '../../functions/aws/core.ts';
import { FUNCTIONS, QUEUES, queueUrl, readEnvironment } from '../../functions/aws/environment.ts';
import { httpHandler } from '../../functions/aws/http-event.ts';
import { keepOpen, type Opened } from '../../functions/aws/lambda.ts';
import { queueHandler } from '../../functions/aws/queue-event.ts';
import { scheduleHandler } from '../../functions/aws/schedule-event.ts';
import { type AwsWorker, openAwsWorker } from '../../functions/aws/worker.ts';
import { openFanout } from '../../functions/fanout.ts';
import { forwardHandler, openForward } from '../../functions/forward.ts';
import { openNotify } from '../../functions/notify.ts';
import { openReconcile } from '../../functions/reconcile.ts';
import { openSweep } from '../../functions/sweep.ts';
import { openWebhook } from '../../functions/webhook.ts';
import { messageOf } from '../../lib/core/errors.ts';
import type { Log } from '../../lib/log.ts';
import { releaseWriter } from '../../lib/pipeline/cluster-writer.ts';
import type { Context } from '../../lib/pipeline/context.ts';
import { serveHttp } from './http-trigger.ts';
import { type Invoke, serveQueue } from './queue-trigger.ts';
import { awsServers, createResources, type Variables } from './resources.ts';

/** What is started. */
export interface AwsLocalOptions {
  /** No two of a process may share one. Letters, digits and dashes. */
  name: string;
  /** The fleet file. */
  fleet: string;
  /** Its clusters. */
  clusters: readonly string[];
  /** For mirrors; each function has a folder of its own in it. */
  directory: string;
  port: number;
  /** How often the tick comes, in ms. AWS's shortest is a minute. */
  tickMs: number;
  log: Log;
  /** Clusters whose jobs no function does: a worker elsewhere is to do them. Default: none. */
  elsewhere?: readonly string[];
  /** Environments of each function that reads a queue. Default: 2. */
  environments?: number;
  /** Changes what reconcile functions work with, such as to count or to break its calls. */
  wrap?(ctx: Context): Context;
}

/** What runs. */
export interface AwsLocal {
  url: string;
  /** What a worker is told by its environment. */
  variables: Variables;
  /** The same table, queues and bucket, for whoever looks at them from outside. */
  worker: AwsWorker;
  /** Ends the triggers, waits for what is under way, and closes everything. */
  stop(): Promise<void>;
}

/** Makes the resources and starts the triggers of all functions. */
export async function startAwsLocal(options: AwsLocalOptions): Promise<AwsLocal> {
  const { log, clusters, environments = 2, elsewhere = [], wrap = (ctx: Context) => ctx } = options;
  const { fauxqs } = await awsServers();
  const made: Variables = {
    ...(await createResources(options.name, clusters)),
    SLIPWAY_FLEET: options.fleet,
  };
  const stop = new AbortController();
  const opened: Opened[] = [];
  let count = 0;

  /** A function in an environment of its own, opened at its first invocation. */
  function environment<T extends Opened>(
    open: (environment: ReturnType<typeof readEnvironment>, log: Log) => Promise<T>,
    more: Record<string, string> = {},
  ): () => Promise<T> {
    count += 1;
    const variables = { ...made, SLIPWAY_DIRECTORY: `${options.directory}/function-${count}`, ...more };
    return keepOpen(async (read) => {
      const parts = await open(read, log);
      opened.push(parts);
      return parts;
    }, variables);
  }

  function queue(name: string, batchSize: number, invoke: () => Invoke): Promise<void> {
    const trigger = {
      sqs: fauxqs.api,
      queueUrl: queueUrl(made.SLIPWAY_QUEUES ?? '', name),
      batchSize,
      environments: Array.from({ length: environments }, invoke),
      failed: (error: unknown) => log.error({ queue: name, error: messageOf(error) }, 'an invocation failed'),
    };
    return serveQueue(trigger, stop.signal);
  }

  const webhook = httpHandler(environment(openWebhook));
  const api = httpHandler(environment(openApi));
  const sweep = scheduleHandler(environment(openSweep));
  const core = await openCore(
    readEnvironment({ ...made, SLIPWAY_DIRECTORY: `${options.directory}/outside` }),
    log,
  );
  // As the tick does before anybody works for a cluster.
  await core.ctx.index.installation(() => randomBytes(8).toString('hex'));
  const worker = await openAwsWorker(core);
  const server = await serveHttp(options.port, (path) =>
    /^\/(webhooks\/|hook\/|healthz$|readyz$)/.test(path) ? webhook : api,
  );
  const running = Promise.all([
    queue(QUEUES.push, FUNCTIONS.fanout.trigger.batchSize, () => queueHandler(environment(openFanout))),
    queue(QUEUES.notify, FUNCTIONS.notify.trigger.batchSize, () => queueHandler(environment(openNotify))),
    queue(QUEUES.delay, FUNCTIONS.forward.trigger.batchSize, () => forwardHandler(environment(openForward))),
    ...clusters
      .filter((name) => !elsewhere.includes(name))
      .map((name) =>
        queue(QUEUES.cluster(name), FUNCTIONS.reconcile.trigger.batchSize, () =>
          queueHandler(
            environment(
              async (read, to) => {
                const parts = await openReconcile(read, to);
                return { ...parts, ctx: wrap(parts.ctx) };
              },
              { SLIPWAY_CLUSTER: name },
            ),
          ),
        ),
      ),
    everyTick(sweep, options, stop.signal),
  ]);
  running.catch(() => {});

  return {
    url: server.url,
    variables: made,
    worker,
    async stop() {
      stop.abort(new Error('stopped'));
      await Promise.all([running, server.close()]);
      await Promise.allSettled(
        clusters.map(async (name) => releaseWriter(worker.ctx, await worker.ctx.cluster(name))),
      );
      await Promise.all([...opened, worker].map((parts) => parts.close()));
    },
  };
}

async function everyTick(
  sweep: () => Promise<void>,
  { tickMs, log, ...options }: AwsLocalOptions,
  signal: AbortSignal,
): Promise<void> {
  while (!signal.aborted) {
    await sweep().catch((error: unknown) =>
      log.error({ error: messageOf(error) }, `${options.name}: the tick failed`),
    );
    await delay(tickMs, undefined, { signal }).catch(() => undefined);
  }
}
