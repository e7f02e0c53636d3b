import type { Hono } from 'hono';
import { Hono as TinyHono } from 'hono/tiny';
import { addGitWebhooks, type GitWebhookOptions } from './git-webhooks.ts';
import { addHookWebhooks, type HookWebhookOptions } from './hook-webhooks.ts';
import { PayloadError } from './payload-error.ts';
import { addRegistryWebhooks, type RegistryWebhookOptions } from './registry-webhooks.ts';

/** What the webhook app needs; nothing of it is tied to Node. */
export interface WebhookAppOptions extends GitWebhookOptions {
  /** For `Receiver` objects; without it their paths do not exist. */
  hooks?: HookWebhookOptions;
  /** For container registries; without it their paths do not exist. */
  registries?: RegistryWebhookOptions;
  /** Whether everything behind is reachable; true when absent. */
  ready?(): Promise<boolean>;
}

/**
 * The HTTP edge: verifies webhooks, turns them into jobs, and answers once those are durable. Runs wherever `fetch` requests can
 * be handled; it buffers no more than one body of `maxBodyBytes` a request.
 *
 * Webhooks of Git providers (`/webhooks/:type`), of container registries (`/webhooks/registry/:type`) and of `Receiver` objects
 * (`/hook/:digest`). 202 with an id, 200 for a ping, 204 for what changes nothing, 400 for a verified payload that cannot be read, 401
 * without a valid signature, 403 for what the sender may not speak of, 404, 405, 408, 413, 415, 429 and 431, 503 when the job could not be
 * stored or a Receiver does not listen. `GET /healthz` and `/readyz`.
 */
export function createWebhookApp(options: WebhookAppOptions): Hono {
  // Few paths are matched as fast without a table of them, which every cold start would make; a slash at the end of a path changes nothing.
  const app: Hono = new TinyHono();

  for (const path of ['/webhooks/*', '/hook/*', '/healthz', '/readyz'])
    app.use(path, async (c, next) => {
      await next();
      c.header('x-content-type-options', 'nosniff');
      c.header('cache-control', 'no-store');
    });
  app.get('/healthz', (c) => c.text('ok'));
  app.get('/readyz', async (c) => {
    const ready = await (options.ready?.() ?? Promise.resolve(true)).catch((error: unknown) => {
      options.log.error({ error }, 'the readiness check failed');
      return false;
    });
    return ready ? c.text('ready') : c.text('not ready', 503);
  });

  const { deliveries, log, now, maxBodyBytes, bodyTimeoutMs, strangers } = options;
  const shared = {
    deliveries,
    log,
    now,
    ...(maxBodyBytes === undefined ? {} : { maxBodyBytes }),
    ...(bodyTimeoutMs === undefined ? {} : { bodyTimeoutMs }),
    ...(strangers === undefined ? {} : { strangers }),
  };
  if (options.hooks) addHookWebhooks(app, options.hooks, shared);
  // Before those of Git providers, whose paths would fit as well.
  if (options.registries) addRegistryWebhooks(app, options.registries, shared);
  addGitWebhooks(app, options);

  app.notFound((c) => c.json({ error: 'not found' }, 404));
  app.onError((error, c) => {
    if (error instanceof PayloadError) return c.json({ error: error.message }, 400);
    options.log.error({ error }, 'a webhook failed');
    return c.json({ error: 'internal error' }, 500);
  });
  return app;
}
