import type { Hono } from 'hono';
import { createWebhooks } from '../../functions/webhooks.ts';
import { messageOf } from '../../lib/core/errors.ts';
import { loadFleet } from '../../lib/fleet/load-fleet.ts';
import { edgeLog } from './edge-log.ts';
import { readEdgeEnvironment } from './environment.ts';
import { openEdge } from './open-edge.ts';

/** Opened once in each isolate; variables do not change while it lives. */
let opened: Hono | undefined;

/** The webhook edge as a Cloudflare Worker: the app of the other runtimes, with AWS reached by signed requests. */
const worker = {
  async fetch(
    request: Request,
    variables: Record<string, unknown>,
    context: { waitUntil(work: Promise<unknown>): void },
  ): Promise<Response> {
    try {
      opened ??= openApp(variables);
    } catch (error) {
      edgeLog().error({ error: messageOf(error) }, 'the Worker is not set up');
      return Response.json({ error: 'the edge is not set up; its log says why' }, { status: 503 });
    }
    const answer = Promise.resolve(opened.fetch(request));
    // A caller that hangs up must not end what others wait for as well, such as the keys of an issuer.
    context.waitUntil(answer);
    return answer;
  },
};

// The runtime wants the handler as the default export.
// biome-ignore lint/style/noDefaultExport: see above
export default worker;

function openApp(variables: Record<string, unknown>): Hono {
  const environment = readEdgeEnvironment(variables);
  const fleet = loadFleet(environment.SLIPWAY_FLEET, { path: '/slipway.yaml' });
  const open = { fleet, secret: async (reference: string) => secretOf(reference, variables) };
  // Cloudflare says where a request comes from, whatever the sender wrote. Each isolate counts for itself.
  return createWebhooks(openEdge(environment, open), open, (c) => c.req.header('cf-connecting-ip'));
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
