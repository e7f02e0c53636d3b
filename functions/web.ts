import { serve } from '@hono/node-server';
import type { Hono } from 'hono';
import type { Context } from '../lib/pipeline/context.ts';
import { enqueue } from '../lib/pipeline/enqueue.ts';
import { createWebhookApp } from '../lib/receive/app.ts';
import type { WebhookProvider } from '../lib/receive/receive.ts';
import type { ReceiverName } from '../lib/receive/registry.ts';
import type { OpenFleet } from './open-fleet.ts';

/** The webhook types of providers whose two editions share one receiver. */
const RECEIVER_OF: Readonly<Record<string, ReceiverName>> = { 'bitbucket-server': 'bitbucket' };

/** The HTTP side: webhooks of the providers in the fleet file, probes. */
export function createApp(ctx: Context, { fleet, secret }: OpenFleet): Hono {
  const providers = fleet.providers.map(({ name, type, webhookSecrets }): [string, WebhookProvider] => [
    name,
    {
      type: RECEIVER_OF[type] ?? (type as ReceiverName),
      secrets: () => Promise.all(webhookSecrets.map(secret)),
    },
  ]);
  return createWebhookApp({
    providers: Object.fromEntries(providers),
    enqueue: (push) => enqueue(ctx, [{ job: push }]),
    deliveries: ctx.index.deliveries,
    log: ctx.log,
    now: ctx.now,
  });
}

/** A server that listens. */
export interface Listening {
  url: string;
  close(): Promise<void>;
}

/**
 * Serves an app over HTTP.
 * @throws Error when the address is taken
 */
export function listen(app: Hono, address: { host: string; port: number }): Promise<Listening> {
  return new Promise((resolve, reject) => {
    const server = serve(
      { fetch: app.fetch, port: address.port, hostname: address.host || '0.0.0.0' },
      ({ port }) => {
        const host = address.host === '' || address.host === '0.0.0.0' ? 'localhost' : address.host;
        const close = () => new Promise<void>((done) => server.close(() => done()));
        resolve({ url: `http://${host}:${port}`, close });
      },
    );
    server.on('error', reject);
  });
}
