import { chmod, rm } from 'node:fs/promises';
import { createAdaptorServer, serve } from '@hono/node-server';
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

/**
 * Serves an app on a socket that its owner alone may open; one that a dead process left behind is replaced.
 * @param path of the socket, in a directory that its owner alone may enter
 */
export async function listenOnSocket(app: Hono, path: string): Promise<{ close(): Promise<void> }> {
  await rm(path, { force: true });
  const server = createAdaptorServer({ fetch: app.fetch });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(path, resolve);
  });
  await chmod(path, 0o600);
  return { close: () => new Promise((done) => server.close(() => done())) };
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
