import type { Context, Hono } from 'hono';
import type { PushJob } from '../core/job.ts';
import { notStored } from './deliveries.ts';
import { takeIn } from './intake.ts';
import { type Reception, receive, type WebhookProvider } from './receive.ts';
import type { PullRequestEvent } from './receiver.ts';
import { refuse, refuseUnread } from './refuse.ts';
import { type ReceiverName, receivers } from './registry.ts';
import type { SharedOptions } from './shared-options.ts';

/** Where an event stands among its deliveries. */
export interface DeliveryContext {
  deliveryId: string;
  /** The same delivery was done before; whether it runs again is for the callee to decide. */
  replay: boolean;
}

/** What the webhooks of Git providers need. */
export interface GitWebhookOptions extends SharedOptions {
  /** The providers by their name in the fleet file. */
  providers: Readonly<Record<string, WebhookProvider>>;
  /** Resolves once the job is durable, and throws otherwise: the answer is then 503 and the provider shows a failure. */
  enqueue(push: PushJob, delivery: DeliveryContext): Promise<void>;
  /** As `enqueue` for pull requests; without it they are ignored. */
  enqueuePullRequest?(
    event: PullRequestEvent,
    delivery: DeliveryContext & { provider: string },
  ): Promise<void>;
}

/** Adds `POST /webhooks/:type`, which tries every provider of the type, and `POST /webhooks/:type/:provider`. */
export function addGitWebhooks(app: Hono, options: GitWebhookOptions): void {
  const handle = async (c: Context): Promise<Response> => {
    const type = c.req.param('type') ?? '';
    if (!Object.hasOwn(receivers, type)) return c.json({ error: 'there is no such webhook' }, 404);
    const candidates = candidatesOf(options, type as ReceiverName, c.req.param('provider'));
    if (candidates.size === 0) return c.json({ error: 'there is no such webhook' }, 404);
    // What cannot be valid is not even read once too much of it has come.
    const unread = receivers[type as ReceiverName].proof(c.req.raw.headers)
      ? undefined
      : refuseUnread(c, options);
    if (unread) return unread;
    const delivery = await takeIn(c, options);
    if (delivery instanceof Response) return delivery;
    return answer(c, await receive(type as ReceiverName, candidates, delivery, options.now()), options);
  };
  for (const path of ['/webhooks/:type', '/webhooks/:type/:provider']) {
    app.post(path, handle);
    app.all(path, (c) => c.json({ error: 'webhooks are sent by POST' }, 405, { allow: 'POST' }));
  }
}

async function answer(c: Context, reception: Reception, options: GitWebhookOptions): Promise<Response> {
  switch (reception.kind) {
    case 'unauthorized':
      return refuse(c, options, {
        status: 401,
        error: 'the signature is missing or wrong',
        place: c.req.path,
      });
    case 'forbidden':
      return c.json({ error: 'this provider may not speak of that repository' }, 403);
    case 'ping':
      return c.json({ ok: true });
    case 'ignored':
      return c.body(null, 204);
    case 'pull-request':
    case 'push':
      return accept(c, reception, options);
  }
}

/** Enqueues first and remembers the delivery afterwards: whatever fails in between leads to a redelivery, never to a loss. */
async function accept(
  c: Context,
  reception: Extract<Reception, { kind: 'push' | 'pull-request' }>,
  options: GitWebhookOptions,
): Promise<Response> {
  const { provider, deliveryId } = reception;
  const { enqueuePullRequest } = options;
  if (reception.kind === 'pull-request' && !enqueuePullRequest) return c.body(null, 204);
  const ids = reception.kind === 'push' ? reception.jobs.map(({ origin }) => origin.id) : [deliveryId];
  try {
    const replay = await options.deliveries.isDone(provider, deliveryId);
    if (reception.kind === 'push')
      for (const job of reception.jobs) await options.enqueue(job, { deliveryId, replay });
    else await enqueuePullRequest?.(reception.pullRequest, { deliveryId, replay, provider });
    if (!replay) await options.deliveries.markDone(provider, deliveryId);
  } catch (error) {
    return notStored(c, options.log, error, { provider, delivery: deliveryId });
  }
  return c.json(ids.length > 1 ? { id: ids[0], ids } : { id: ids[0] }, 202);
}

function candidatesOf(
  { providers }: GitWebhookOptions,
  type: ReceiverName,
  name: string | undefined,
): Map<string, WebhookProvider> {
  return new Map(
    Object.entries(providers).filter(
      ([key, provider]) => provider.type === type && (name === undefined || key === name),
    ),
  );
}
