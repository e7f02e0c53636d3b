import type { Hono } from 'hono';
import type { Log } from '../lib/log.ts';
import { openBlobs } from './aws/blobs.ts';
import { openCore } from './aws/core.ts';
import type { Environment } from './aws/environment.ts';
import { addressOf, type HttpHandler, httpHandler } from './aws/http-event.ts';
import { keepOpen, type Opened } from './aws/lambda.ts';
import { lazySeal } from './aws/seal.ts';
import { lazyHttp } from './lazy-http.ts';
import { createWebhooks } from './webhooks.ts';

/** Webhooks: verified, then one job each, and nothing else. It holds the secrets of webhooks and no credential of a cluster. */
export async function openWebhook(environment: Environment, log?: Log): Promise<Opened & { app: Hono }> {
  const core = await openCore(environment, log);
  const { network, limits } = core.open.fleet;
  const http = lazyHttp({
    network: { allow: network.allow },
    timeoutMs: limits.requestTimeout,
    maxBytes: 1_048_576,
    userAgent: 'slipway',
  });
  const ctx = { ...core.ctx, http, blobs: openBlobs(environment), seal: lazySeal(core.open) };
  return {
    ...core,
    app: createWebhooks(ctx, core.open, addressOf),
    async close() {
      await Promise.all([http.close(), core.close()]);
    },
  };
}

export const handler: HttpHandler = httpHandler(keepOpen(openWebhook));
