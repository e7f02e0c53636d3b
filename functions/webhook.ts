import type { Hono } from 'hono';
import type { Log } from '../lib/log.ts';
import type { Edge } from '../lib/pipeline/context.ts';
import { Deliveries } from '../lib/store/deliveries.ts';
import { Receivers } from '../lib/store/receivers.ts';
import { openBlobs } from './aws/blobs.ts';
import type { Environment } from './aws/environment.ts';
import { addressOf, type HttpHandler, httpHandler } from './aws/http-event.ts';
import { keepOpen, type Opened } from './aws/lambda.ts';
import { logOf } from './aws/log.ts';
import { openBase } from './aws/open-base.ts';
import { lazySeal } from './aws/seal.ts';
import { lazyHttp } from './lazy-http.ts';
import { createWebhooks } from './webhooks.ts';

/**
 * Webhooks: verified, then one job each, and nothing else. It holds the secrets of webhooks and no credential of a cluster, and of the index it
 * opens no more than it needs: the rest would be loaded at each cold start.
 */
export async function openWebhook(
  environment: Environment,
  log: Log = logOf(environment),
): Promise<Opened & { app: Hono }> {
  const { open, queues, table, newId } = await openBase(environment);
  const { network, limits } = open.fleet;
  const rows = table('index');
  const http = lazyHttp({
    network: { allow: network.allow },
    timeoutMs: limits.requestTimeout,
    maxBytes: 1_048_576,
    userAgent: 'slipway',
  });
  const ctx: Edge = {
    queues,
    index: { deliveries: new Deliveries(rows, Date.now), receivers: new Receivers(rows) },
    blobs: openBlobs(environment),
    http,
    seal: lazySeal(open),
    log,
    now: Date.now,
    newId,
  };
  return {
    app: createWebhooks(ctx, open, addressOf),
    isCurrent: () => open.isCurrent(),
    close: () => http.close(),
  };
}

export const handler: HttpHandler = httpHandler(keepOpen(openWebhook));
