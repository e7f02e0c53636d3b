import type { Hono } from 'hono';
import type { Edge } from '../lib/pipeline/context.ts';
import { enqueue } from '../lib/pipeline/enqueue.ts';
import { idTokensOf, receiverHooks } from '../lib/pipeline/webhook-edge.ts';
import { createWebhookApp } from '../lib/receive/app.ts';
import type { StrangersLimit } from '../lib/receive/refuse.ts';
import type { WebhookRegistry } from '../lib/receive/registries/registry-type.ts';
import { Strangers } from '../lib/receive/strangers.ts';
import type { OpenFleet } from './open-fleet.ts';
import { webhookProviders } from './webhook-providers.ts';

/**
 * The webhooks of the providers and registries in the fleet file and of Receivers, and probes. The server, the function on AWS and the Worker
 * at Cloudflare serve this app.
 * @param addressOf where a request comes from, for the limit of those without a valid signature
 */
export function createWebhooks(ctx: Edge, open: OpenFleet, addressOf: StrangersLimit['addressOf']): Hono {
  const { fleet, secret } = open;
  const registries = fleet.registries.map(
    ({ name, type, host, webhookSecrets, identity }): [string, WebhookRegistry] => {
      const secrets = () => Promise.all(webhookSecrets.map(secret));
      return [name, { type, host, secrets, ...(identity ? { identity } : {}) }];
    },
  );
  const tokens = idTokensOf(ctx);
  return createWebhookApp({
    providers: webhookProviders(open),
    enqueue: (push) => enqueue(ctx, [{ job: push }]),
    registries: {
      registries: Object.fromEntries(registries),
      tokens,
      enqueue: (jobs) =>
        enqueue(
          ctx,
          jobs.map((job) => ({ job })),
        ),
    },
    hooks: receiverHooks(ctx, tokens),
    deliveries: ctx.index.deliveries,
    log: ctx.log,
    now: ctx.now,
    strangers: { limit: new Strangers({ now: ctx.now }), addressOf },
  });
}
