import type { Hono } from 'hono';
import type { Log } from '../lib/log.ts';
import { openCore } from './aws/core.ts';
import type { Environment } from './aws/environment.ts';
import { addressOf, type HttpHandler, httpHandler } from './aws/http-event.ts';
import { keepOpen, type Opened } from './aws/lambda.ts';
import { createWebhooks } from './web.ts';

/** Webhooks: verified, then one push job each, and nothing else. It holds the secrets of webhooks and no credential of a cluster. */
export async function openWebhook(environment: Environment, log?: Log): Promise<Opened & { app: Hono }> {
  const core = await openCore(environment, log);
  return { ...core, app: createWebhooks(core.ctx, core.open, addressOf) };
}

export const handler: HttpHandler = httpHandler(keepOpen(openWebhook));
