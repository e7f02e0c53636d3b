import { getConnInfo } from '@hono/node-server/conninfo';
import { Hono } from 'hono';
import type { Core, Edge } from '../lib/pipeline/context.ts';
import type { Access } from '../lib/web/pages.ts';
import type { OpenFleet } from './open-fleet.ts';
import { createRunPages } from './run-pages.ts';
import { createWebhooks } from './webhooks.ts';

/** The HTTP side: webhooks of the providers and registries in the fleet file and of Receivers, probes, and the pages of runs. */
export function createApp(ctx: Core & Edge, open: OpenFleet): Hono {
  const app = new Hono();
  app.route(
    '/',
    createWebhooks(ctx, open, (c) => getConnInfo(c).remote.address),
  );
  app.route('/', createRunPages(ctx, open, accessOf(open)));
  return app;
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
