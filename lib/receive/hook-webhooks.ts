import type { Context, Hono } from 'hono';
import type { HookJob } from '../core/job.ts';
import type { ReceiverEntry } from '../store/receivers.ts';
import { notStored, notVerified } from './deliveries.ts';
import type { HookProof, HookSecret, HookType } from './hooks/hook-type.ts';
import { hookType } from './hooks/registry.ts';
import { hexDigest, identify } from './identify.ts';
import { takeIn } from './intake.ts';
import type { Delivery } from './receiver.ts';
import { refuse } from './refuse.ts';
import type { RefusedPaths } from './refused-paths.ts';
import type { SharedOptions } from './shared-options.ts';

/** A `Receiver` object as the index knows it. */
export interface HookReceiver extends Omit<ReceiverEntry, 'sealed'> {
  /** What its calls are verified with. */
  secret(): Promise<HookSecret>;
}

/** What the webhooks of `Receiver` objects need. */
export interface HookWebhookOptions extends Pick<HookProof, 'tokens' | 'checkClaims'> {
  /** Every Receiver that listens at a path; equal ones of several clusters share theirs. */
  find(path: string): Promise<readonly HookReceiver[]>;
  /** Remembers what was found at paths whose calls were refused. */
  refused: Pick<RefusedPaths<HookReceiver>, 'recall' | 'remember'>;
  /** Resolves once the job is durable, and throws otherwise. */
  enqueue(job: HookJob): Promise<void>;
}

const NO_SUCH = 'there is no such webhook';
/** What the log calls the path, which may be all the secret there is. */
const PLACE = '/hook/…';

/** A Receiver that a call is for. */
interface Called {
  receiver: HookReceiver;
  type: HookType;
  claims?: Readonly<Record<string, unknown>>;
}

/** A call that was answered without being let in. */
interface Answered {
  response: Response;
  /** It proved nothing: its path, or the signature, was wrong. */
  refused: boolean;
}

/**
 * Adds `POST /hook/:digest`, the path that Flux gives a Receiver. The call is verified with what the index holds, and answered once a job is
 * durable: no cluster is asked, so none can hold the answer back. What is refused again and again is looked up once in a while.
 */
export function addHookWebhooks(app: Hono, options: HookWebhookOptions, shared: SharedOptions): void {
  app.post('/hook/:digest', (c) => handle(c, options, shared));
  app.all('/hook/:digest', (c) => c.json({ error: 'webhooks are sent by POST' }, 405, { allow: 'POST' }));
}

async function handle(c: Context, options: HookWebhookOptions, shared: SharedOptions): Promise<Response> {
  const { refused } = options;
  let taken: Promise<Delivery | Response> | undefined;
  const take = () => {
    taken ??= takeIn(c, shared);
    return taken;
  };
  const path = `/hook/${c.req.param('digest') ?? ''}`;
  const remembered = /^\/hook\/[0-9a-f]{64}$/.test(path) ? refused.recall(path) : [];
  if (remembered) {
    const verdict = await judge(c, remembered, take, options, shared);
    if ('response' in verdict) return verdict.response;
  }
  const readAt = shared.now();
  const receivers = await options.find(path);
  const verdict = await judge(c, receivers, take, options, shared);
  if (!('response' in verdict)) return accept(c, verdict.called, verdict.delivery, options, shared);
  if (verdict.refused) refused.remember(path, receivers, readAt);
  return verdict.response;
}

/** Which of the Receivers at a path a call is for, or the answer when it is for none. */
async function judge(
  c: Context,
  receivers: readonly HookReceiver[],
  take: () => Promise<Delivery | Response>,
  options: HookWebhookOptions,
  shared: SharedOptions,
): Promise<{ called: readonly Called[]; delivery: Delivery } | Answered> {
  if (receivers.length === 0)
    return { response: refuse(c, shared, { status: 404, error: NO_SUCH, place: PLACE }), refused: true };
  const listening = receivers.flatMap((receiver) => {
    const type = hookType(receiver.type);
    return type && receiver.state === 'ready' ? [{ receiver, type }] : [];
  });
  if (listening.length === 0) {
    const error = 'the Receiver is suspended or not ready';
    return { response: c.json({ error }, 503), refused: false };
  }
  const delivery = await take();
  if (delivery instanceof Response) return { response: delivery, refused: false };

  const called: Called[] = [];
  let [why, fault]: [string | undefined, unknown] = [undefined, undefined];
  for (const { receiver, type } of listening) {
    try {
      const verdict = await verify(receiver, type, delivery, options);
      if (!verdict.ok) why ??= verdict.why;
      else called.push({ receiver, type, ...(verdict.claims ? { claims: verdict.claims } : {}) });
    } catch (error) {
      // What one Receiver lacks must not close the door to the others.
      fault = error;
    }
  }
  if (called.length === 0 && fault !== undefined)
    return { response: notVerified(c, shared.log, fault), refused: false };
  if (called.length === 0) {
    const error = why ?? 'the signature is missing or wrong';
    return { response: refuse(c, shared, { status: 401, error, place: PLACE }), refused: true };
  }
  if (fault !== undefined)
    shared.log.warn({ error: fault }, 'a Receiver could not look at a call; others did');
  return { called, delivery };
}

async function verify(
  { secret, oidcProviders }: HookReceiver,
  type: HookType,
  delivery: Delivery,
  { tokens, checkClaims }: HookWebhookOptions,
) {
  return type.verify(delivery, { secret: await secret(), oidcProviders, tokens, checkClaims });
}

/** Enqueues first and remembers the delivery afterwards. One that was done already is only answered. */
async function accept(
  c: Context,
  called: readonly Called[],
  delivery: Delivery,
  { enqueue }: HookWebhookOptions,
  { deliveries, log, now }: SharedOptions,
): Promise<Response> {
  const ids: string[] = [];
  let pings = 0;
  for (const { receiver, type, claims } of called) {
    const payload = type.read(delivery);
    if (type.isPing?.(delivery.headers)) pings += 1;
    else if (isWanted(receiver, type.events?.(delivery.headers, payload))) {
      const sender = `hook/${receiver.cluster}/${receiver.namespace}/${receiver.name}`;
      const given = type.deliveryId(delivery, payload);
      const deliveryId = await identify(given, delivery.body);
      // Without an id a second call looks like the first, and must not be taken for it.
      const moment = given === undefined ? String(now()) : '';
      const id = (await hexDigest([sender, deliveryId, moment].join('\n'))).slice(0, 32);
      const job = jobOf(receiver, { id, payload, claims, now: now() });
      try {
        const isDone = given !== undefined && (await deliveries.isDone(sender, deliveryId));
        if (!isDone) await enqueue(job);
        if (!isDone && given !== undefined) await deliveries.markDone(sender, deliveryId);
      } catch (error) {
        return notStored(c, log, error, { receiver: sender, delivery: deliveryId });
      }
      ids.push(id);
    }
  }
  if (ids.length > 0) return c.json(ids.length > 1 ? { id: ids[0], ids } : { id: ids[0] }, 202);
  return pings > 0 ? c.json({ ok: true }) : c.body(null, 204);
}

function jobOf(
  { cluster, namespace, name, type, wantsRequest }: HookReceiver,
  call: { id: string; payload: unknown; claims: Called['claims']; now: number },
): HookJob {
  return {
    type: 'hook',
    cluster,
    namespace,
    name,
    receiver: type,
    origin: { id: call.id },
    ...(wantsRequest ? { request: call.payload } : {}),
    ...(wantsRequest && call.claims ? { claims: { ...call.claims } } : {}),
    receivedAt: call.now,
  };
}

/** Whether `spec.events` lets an event through; without a list, and for types without events, all. Case does not matter, as with Flux. */
function isWanted({ events }: HookReceiver, names: readonly string[] | undefined): boolean {
  if (events.length === 0 || names === undefined) return true;
  const wanted = new Set(events.map((event) => event.toLowerCase()));
  return names.some((name) => wanted.has(name.toLowerCase()));
}
