import { type Context, Hono } from 'hono';
import type { PushJob } from '../core/job.ts';
import type { Log } from '../log.ts';
import { PayloadError } from './payload-error.ts';
import { type BodyFault, readBody } from './read-body.ts';
import { type Reception, receive, type WebhookProvider } from './receive.ts';
import type { PullRequestEvent } from './receiver.ts';
import { type ReceiverName, receivers } from './registry.ts';
import type { Strangers } from './strangers.ts';

/** Which deliveries are done: their jobs are durable. */
export interface DeliveryRecord {
  isDone(provider: string, deliveryId: string): Promise<boolean>;
  markDone(provider: string, deliveryId: string): Promise<void>;
}

/** Where an event stands among its deliveries. */
export interface DeliveryContext {
  deliveryId: string;
  /** The same delivery was done before; whether it runs again is for the callee to decide. */
  replay: boolean;
}

/** What the webhook app needs; nothing of it is tied to Node. */
export interface WebhookAppOptions {
  /** The providers by their name in the fleet file. */
  providers: Readonly<Record<string, WebhookProvider>>;
  /** Resolves once the job is durable, and throws otherwise: the answer is then 503 and the provider shows a failure. */
  enqueue(push: PushJob, delivery: DeliveryContext): Promise<void>;
  /** As `enqueue` for pull requests; without it they are ignored. */
  enqueuePullRequest?(
    event: PullRequestEvent,
    delivery: DeliveryContext & { provider: string },
  ): Promise<void>;
  deliveries: DeliveryRecord;
  /** Whether everything behind is reachable; true when absent. */
  ready?(): Promise<boolean>;
  log: Log;
  /** Epoch in ms. */
  now(): number;
  /** Default: 3 MiB, as Flux. */
  maxBodyBytes?: number;
  /** For a whole body, in ms. Default: 30 s. */
  bodyTimeoutMs?: number;
  /** Limits requests without a valid signature by where they come from; absent where something in front does. */
  strangers?: StrangersLimit;
}

/** The part of {@link Strangers} that the edge needs, and where it learns the address of a request. */
export interface StrangersLimit {
  limit: Pick<Strangers, 'isLimited' | 'failed' | 'retryAfterMs'>;
  /** The address at the other end of the connection; undefined when there is none. */
  addressOf(c: Context): string | undefined;
}

const MAX_BODY_BYTES = 3 * 1024 * 1024;
const BODY_TIMEOUT_MS = 30_000;
const MAX_HEADER_BYTES = 32 * 1024;

const FAULTS = {
  'too-large': { status: 413, error: 'the body is too large; the change will be found by the next sweep' },
  'too-slow': { status: 408, error: 'the body took too long' },
  broken: { status: 400, error: 'the body could not be read' },
} as const satisfies Record<BodyFault, { status: number; error: string }>;

/**
 * The HTTP edge: verifies webhooks, turns them into jobs, and answers once those are durable. Runs wherever `fetch` requests can
 * be handled; it buffers no more than one body of `maxBodyBytes` a request.
 *
 * `POST /webhooks/:type` tries every provider of the type, `POST /webhooks/:type/:provider` one. 202 with the push's id, 200 for a ping,
 * 204 for what deploys nothing, 400 for a signed payload that cannot be read, 401 without a valid signature, 403 for a repository
 * that the provider may not speak of, 404, 405, 408, 413, 415, 429 and 431, 503 when the job could not be stored. `GET /healthz` and `/readyz`.
 */
export function createWebhookApp(options: WebhookAppOptions): Hono {
  const app = new Hono();

  for (const path of ['/webhooks/*', '/healthz', '/readyz'])
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

  const handle = async (c: Context): Promise<Response> => {
    const type = c.req.param('type') ?? '';
    if (!Object.hasOwn(receivers, type)) return c.json({ error: 'there is no such webhook' }, 404);
    const candidates = candidatesOf(options, type as ReceiverName, c.req.param('provider'));
    if (candidates.size === 0) return c.json({ error: 'there is no such webhook' }, 404);
    const { headers } = c.req.raw;
    if (headerBytes(headers) > MAX_HEADER_BYTES) return c.json({ error: 'the headers are too large' }, 431);
    // What cannot be valid is not even read once too much of it has come.
    if (!receivers[type as ReceiverName].proof(headers)) {
      const address = options.strangers?.addressOf(c);
      if (address !== undefined && options.strangers?.limit.isLimited(address))
        return tooMany(c, options.strangers, address);
    }
    if (!['', 'identity'].includes(headers.get('content-encoding')?.toLowerCase() ?? ''))
      return c.json({ error: 'compressed bodies are not accepted' }, 415);
    const body = await readBody(
      c.req.raw,
      options.maxBodyBytes ?? MAX_BODY_BYTES,
      options.bodyTimeoutMs ?? BODY_TIMEOUT_MS,
    );
    if (typeof body === 'string') return faultAnswer(c, body);
    const reception = await receive(type as ReceiverName, candidates, { headers, body }, options.now());
    return answer(c, reception, options);
  };
  for (const path of ['/webhooks/:type', '/webhooks/:type/:provider']) {
    app.post(path, handle);
    app.all(path, (c) => c.json({ error: 'webhooks are sent by POST' }, 405, { allow: 'POST' }));
  }

  app.notFound((c) => c.json({ error: 'not found' }, 404));
  app.onError((error, c) => {
    if (error instanceof PayloadError) return c.json({ error: error.message }, 400);
    options.log.error({ error }, 'a webhook failed');
    return c.json({ error: 'internal error' }, 500);
  });
  return app;
}

async function answer(c: Context, reception: Reception, options: WebhookAppOptions): Promise<Response> {
  switch (reception.kind) {
    case 'unauthorized':
      return stranger(c, options);
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

/** A valid signature is never held against its address; the lack of one is, and the operator is told of it once. */
function stranger(c: Context, { strangers, log }: WebhookAppOptions): Response {
  const address = strangers?.addressOf(c);
  const standing = address === undefined ? undefined : strangers?.limit.failed(address);
  if (standing === 'first') {
    const text =
      'a webhook without a valid signature was refused; if it is yours, its secret differs from the one here';
    log.warn({ address, path: c.req.path }, text);
  }
  if (strangers && address !== undefined && standing === 'limited') return tooMany(c, strangers, address);
  return c.json({ error: 'the signature is missing or wrong' }, 401);
}

function tooMany(c: Context, { limit }: StrangersLimit, address: string): Response {
  const seconds = String(Math.ceil(limit.retryAfterMs(address) / 1_000));
  const headers = { 'retry-after': seconds, connection: 'close' };
  return c.json(
    { error: 'too many requests without a valid signature came from this address' },
    429,
    headers,
  );
}

/** Enqueues first and remembers the delivery afterwards: whatever fails in between leads to a redelivery, never to a loss. */
async function accept(
  c: Context,
  reception: Extract<Reception, { kind: 'push' | 'pull-request' }>,
  options: WebhookAppOptions,
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
    options.log.error(
      { error, provider, delivery: deliveryId },
      'a webhook could not be stored; it may be redelivered',
    );
    return c.json({ error: 'the event could not be stored; deliver it again' }, 503, { 'retry-after': '30' });
  }
  return c.json(ids.length > 1 ? { id: ids[0], ids } : { id: ids[0] }, 202);
}

function faultAnswer(c: Context, fault: BodyFault): Response {
  const { status, error } = FAULTS[fault];
  // What is left of the body is not read, so the connection cannot be used again.
  return c.json({ error }, status, { connection: 'close' });
}

function candidatesOf(
  options: WebhookAppOptions,
  type: ReceiverName,
  name: string | undefined,
): Map<string, WebhookProvider> {
  return new Map(
    Object.entries(options.providers).filter(
      ([key, provider]) => provider.type === type && (name === undefined || key === name),
    ),
  );
}

function headerBytes(headers: Headers): number {
  let bytes = 0;
  for (const [name, value] of headers) bytes += name.length + value.length + 4;
  return bytes;
}
