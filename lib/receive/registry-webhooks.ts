import type { Context, Hono } from 'hono';
import type { ImageJob } from '../core/job.ts';
import { decodePayload } from './decode.ts';
import { notStored, notVerified } from './deliveries.ts';
import { type IdTokens, IssuerUnavailable } from './id-token.ts';
import { hexDigest, identify } from './identify.ts';
import { takeIn } from './intake.ts';
import { bringsProof, refuse, refuseUnread } from './refuse.ts';
import { registryType } from './registries/registry.ts';
import type { ImagePush, RegistryReceived, WebhookRegistry } from './registries/registry-type.ts';
import type { SharedOptions } from './shared-options.ts';
import { verifyToken } from './signature.ts';

/** What the webhooks of container registries need. */
export interface RegistryWebhookOptions {
  /** The registries by their name in the fleet file. */
  registries: Readonly<Record<string, WebhookRegistry>>;
  tokens: IdTokens;
  /** Resolves once all jobs are durable, and throws otherwise. */
  enqueue(jobs: readonly ImageJob[]): Promise<void>;
}

type Signer = [name: string, registry: WebhookRegistry];

/**
 * Adds `POST /webhooks/registry/:type` and, for registries that cannot sign, `POST /webhooks/registry/:type/:secret`. Every registry of the
 * type is tried. Nothing of a payload is fetched, and no digest in it is looked at.
 */
export function addRegistryWebhooks(app: Hono, options: RegistryWebhookOptions, shared: SharedOptions): void {
  const handle = async (c: Context): Promise<Response> => {
    const name = c.req.param('type') ?? '';
    const secret = c.req.param('secret');
    const type = registryType(name);
    const candidates = Object.entries(options.registries).filter(([, registry]) => registry.type === name);
    const exists = secret === undefined ? type?.verify !== undefined : type?.secretInPath === true;
    if (!type || candidates.length === 0 || !exists)
      return c.json({ error: 'there is no such webhook' }, 404);
    const place = `/webhooks/registry/${name}`;
    // What cannot be valid is not even read: without its secret in the path, or too much of what proves nothing.
    const known = secret === undefined ? undefined : await signersOf(candidates, knows(secret));
    if (known && known.signers.length === 0 && known.fault === undefined)
      return refuse(c, shared, { status: 404, error: 'there is no such webhook', place });
    const unread = known || bringsProof(c.req.raw.headers) ? undefined : refuseUnread(c, shared);
    if (unread) return unread;
    const delivery = await takeIn(c, shared);
    if (delivery instanceof Response) return delivery;
    const { tokens } = options;
    const { signers, fault } =
      known ??
      (await signersOf(candidates, async ({ secrets, identity }) => {
        const proof = { secrets: await secrets(), identity, tokens };
        return (await type.verify?.(delivery, proof)) ?? false;
      }));
    if (fault instanceof IssuerUnavailable) return notVerified(c, shared.log, fault);
    if (fault !== undefined) throw fault;
    if (signers.length === 0)
      return refuse(c, shared, { status: 401, error: 'the signature is missing or wrong', place });
    const payload = decodePayload(delivery.body, delivery.headers.get('content-type'));
    const read = signers.map(([key, { host }]): [string, RegistryReceived] => [
      key,
      type.parse(delivery.headers, payload, host),
    ]);
    const [key, received] =
      read.find(([, { kind }]) => kind !== 'forbidden') ?? (read[0] as [string, RegistryReceived]);
    if (received.kind === 'forbidden')
      return c.json({ error: 'this registry may not speak of images at that host' }, 403);
    if (received.kind === 'ping') return c.json({ ok: true });
    if (received.kind === 'ignored') return c.body(null, 204);
    const id = type.deliveryId(delivery.headers, payload);
    return accept(c, { key, pushes: received.pushes, id, body: delivery.body }, options, shared);
  };
  for (const path of ['/webhooks/registry/:type', '/webhooks/registry/:type/:secret']) {
    app.post(path, handle);
    app.all(path, (c) => c.json({ error: 'webhooks are sent by POST' }, 405, { allow: 'POST' }));
  }
}

/** Who may have sent a delivery. One registry whose secret cannot be read must not close the door to the others. */
async function signersOf(
  candidates: readonly Signer[],
  isSigner: (registry: WebhookRegistry) => Promise<boolean>,
): Promise<{ signers: Signer[]; fault?: unknown }> {
  const signers: Signer[] = [];
  let fault: unknown;
  for (const candidate of candidates) {
    try {
      if (await isSigner(candidate[1])) signers.push(candidate);
    } catch (error) {
      fault = error;
    }
  }
  return signers.length > 0 ? { signers } : { signers, fault };
}

/** Whether a registry has this secret. */
function knows(secret: string): (registry: WebhookRegistry) => Promise<boolean> {
  return async ({ secrets }) => verifyToken(secret, await secrets());
}

interface Accepted {
  key: string;
  pushes: readonly ImagePush[];
  id: string | undefined;
  body: Uint8Array;
}

/** Enqueues first and remembers the delivery afterwards. One that was done already is only answered. */
async function accept(
  c: Context,
  { key, pushes, id, body }: Accepted,
  { enqueue }: RegistryWebhookOptions,
  { deliveries, log, now }: SharedOptions,
): Promise<Response> {
  const sender = `registry/${key}`;
  const deliveryId = await identify(id, body);
  // Without an id a second push of the same tag looks like the first, and must not be taken for it.
  const moment = id === undefined ? String(now()) : '';
  const jobs = await Promise.all(
    pushes.map(async ({ images, tag }): Promise<ImageJob> => {
      const digest = await hexDigest([sender, images[0], tag, deliveryId, moment].join('\n'));
      const origin = { id: digest.slice(0, 32) };
      return { type: 'image', registry: key, images: [...images], tag, origin, receivedAt: now() };
    }),
  );
  try {
    if (id === undefined) await enqueue(jobs);
    else if (!(await deliveries.isDone(sender, deliveryId))) {
      await enqueue(jobs);
      await deliveries.markDone(sender, deliveryId);
    }
  } catch (error) {
    return notStored(c, log, error, { registry: key, delivery: deliveryId });
  }
  const ids = jobs.map(({ origin }) => origin.id);
  return c.json(ids.length > 1 ? { id: ids[0], ids } : { id: ids[0] }, 202);
}
