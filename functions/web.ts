import { getConnInfo } from '@hono/node-server/conninfo';
import { Hono } from 'hono';
import type { Edge } from '../lib/pipeline/context.ts';
import { enqueue } from '../lib/pipeline/enqueue.ts';
import { idTokensOf, receiverHooks } from '../lib/pipeline/webhook-edge.ts';
import { createWebhookApp } from '../lib/receive/app.ts';
import type { StrangersLimit } from '../lib/receive/refuse.ts';
import type { WebhookRegistry } from '../lib/receive/registries/registry-type.ts';
import { Strangers } from '../lib/receive/strangers.ts';
import type { Access } from '../lib/web/pages.ts';
import type { OpenFleet } from './open-fleet.ts';
import { createRunPages } from './run-pages.ts';
import { webhookProviders } from './webhook-providers.ts';

/** The HTTP side: webhooks of the providers and registries in the fleet file and of Receivers, probes, and the pages of runs. */
export function createApp(ctx: Edge, open: OpenFleet): Hono {
  const app = new Hono();
  app.route(
    '/',
    createWebhooks(ctx, open, (c) => getConnInfo(c).remote.address),
  );
  app.route('/', createRunPages(ctx, open, accessOf(open)));
  return app;
}

/**
 * The webhooks of the providers in the fleet file, and probes.
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

/**
 * Lists of runs are for whoever is on this machine. Where others can reach the server, directly or through a proxy that gives it
 * a public address, only a run's own link opens its page.
 */
function accessOf({ fleet }: OpenFleet): Access {
  const { listen: address, url } = fleet.server;
  const reachable = !isLoopback(address.host) || (url !== undefined && !isLoopback(new URL(url).hostname));
  return reachable ? 'links' : 'open';
}

function isLoopback(host: string): boolean {
  return /^(localhost|127\.\d+\.\d+\.\d+|\[?::1\]?)$/.test(host);
}
