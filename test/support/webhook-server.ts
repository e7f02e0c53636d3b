import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { serve } from '@hono/node-server';
import type { PushJob } from '../../lib/core/job.ts';
import { silentLog } from '../../lib/log.ts';
import { createWebhookApp, type WebhookAppOptions } from '../../lib/receive/app.ts';
import { serverOptions } from '../../lib/receive/server-options.ts';

/** The webhook edge on a free port, with its jobs in a list. */
export interface WebhookServer {
  url: string;
  jobs: { job: PushJob; replay: boolean }[];
  /** The first job, now or later, that fits. */
  waitFor(fits: (job: PushJob) => boolean): Promise<PushJob>;
  stop(): Promise<void>;
}

/** Starts the webhook edge as `slipway serve` does. */
export async function startWebhookServer(
  options: Pick<WebhookAppOptions, 'providers'> & Partial<WebhookAppOptions>,
  settings: Partial<typeof serverOptions> | Record<string, number> = {},
): Promise<WebhookServer> {
  const jobs: WebhookServer['jobs'] = [];
  const done = new Set<string>();
  const waiting: { fits: (job: PushJob) => boolean; resolve: (job: PushJob) => void }[] = [];
  const app = createWebhookApp({
    async enqueue(job, { replay }) {
      jobs.push({ job, replay });
      for (const { fits, resolve } of waiting) if (fits(job)) resolve(job);
    },
    deliveries: {
      isDone: async (provider, id) => done.has(`${provider} ${id}`),
      markDone: async (provider, id) => {
        done.add(`${provider} ${id}`);
      },
    },
    log: silentLog,
    now: () => Date.now(),
    ...options,
  });
  const server = await new Promise<Server>((resolve) => {
    const started = serve(
      {
        fetch: app.fetch,
        port: 0,
        hostname: '127.0.0.1',
        createServer,
        serverOptions: { ...serverOptions, ...settings },
      },
      () => resolve(started as Server),
    );
  });
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    jobs,
    waitFor: (fits) =>
      new Promise((resolve) => {
        const found = jobs.find(({ job }) => fits(job));
        if (found) resolve(found.job);
        else waiting.push({ fits, resolve });
      }),
    stop: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}
