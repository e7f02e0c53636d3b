import type { Hono } from 'hono';
import { webhookProviders } from '../../functions/webhook-providers.ts';
import { messageOf } from '../../lib/core/errors.ts';
import { loadFleet } from '../../lib/fleet/load-fleet.ts';
import { createWebhookApp } from '../../lib/receive/app.ts';
import { Strangers } from '../../lib/receive/strangers.ts';
import { Deliveries } from '../../lib/store/deliveries.ts';
import { edgeAws } from './aws.ts';
import { edgeLog } from './edge-log.ts';
import { edgeRows } from './edge-rows.ts';
import { readEdgeEnvironment } from './environment.ts';
import { sendPush } from './push-queue.ts';

/** Opened once in each isolate; variables do not change while it lives. */
let opened: Hono | undefined;

/** The webhook edge as a Cloudflare Worker: the app of the other runtimes, with AWS reached by signed requests. */
const worker = {
  async fetch(request: Request, variables: Record<string, unknown>): Promise<Response> {
    try {
      opened ??= openApp(variables);
    } catch (error) {
      edgeLog().error({ error: messageOf(error) }, 'the Worker is not set up');
      return Response.json({ error: 'the edge is not set up; its log says why' }, { status: 503 });
    }
    return opened.fetch(request);
  },
};

// The runtime wants the handler as the default export.
// biome-ignore lint/style/noDefaultExport: see above
export default worker;

function openApp(variables: Record<string, unknown>): Hono {
  const environment = readEdgeEnvironment(variables);
  const fleet = loadFleet(environment.SLIPWAY_FLEET, { path: '/slipway.yaml' });
  const aws = edgeAws(environment);
  const now = Date.now;
  return createWebhookApp({
    providers: webhookProviders({ fleet, secret: async (reference) => secretOf(reference, variables) }),
    enqueue: (push) => sendPush(aws, environment.SLIPWAY_QUEUES, push, now()),
    deliveries: new Deliveries(edgeRows(aws, environment, now), now),
    log: edgeLog(),
    now,
    // Cloudflare says where a request comes from, whatever the sender wrote. Each isolate counts for itself.
    strangers: { limit: new Strangers({ now }), addressOf: (c) => c.req.header('cf-connecting-ip') },
  });
}

/** Only what stands in the Worker's own secrets can be read here. */
function secretOf(reference: string, variables: Record<string, unknown>): string {
  const [, name] = /^env:(.+)$/.exec(reference) ?? [];
  const value = name === undefined ? undefined : variables[name];
  if (typeof value === 'string' && value !== '') return value;
  throw new Error(
    name === undefined
      ? `a Worker reads secrets as env:NAME, not as ${reference.split(':')[0]}:`
      : `the secret ${name} of the Worker is not set: wrangler secret put ${name}`,
  );
}
