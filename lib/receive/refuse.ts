import type { Context } from 'hono';
import type { Log } from '../log.ts';
import type { Strangers } from './strangers.ts';

/** The part of {@link Strangers} that the edge needs, and where it learns the address of a request. */
export interface StrangersLimit {
  limit: Pick<Strangers, 'isLimited' | 'failed' | 'retryAfterMs'>;
  /** The address at the other end of the connection; undefined when there is none. */
  addressOf(c: Context): string | undefined;
}

/** What is needed to refuse a request. */
export interface RefuseOptions {
  /** Limits requests without a valid signature by where they come from; absent where something in front does. */
  strangers?: StrangersLimit;
  log: Log;
}

/** How a request without proof is answered. */
export interface Refusal {
  /** 404 where the path itself is what should not be guessed. */
  status: 401 | 404;
  error: string;
  /** What the log calls the path; it holds no secret. */
  place: string;
}

const TEXT =
  'a webhook without a valid signature was refused; if it is yours, its secret differs from the one here';

/** The headers in which senders of webhooks prove themselves. */
const PROOFS = [
  'authorization',
  'x-api-key',
  'x-hub-signature-256',
  'x-nexus-webhook-signature',
  'x-signature',
];

/** Whether the headers hold anything that could prove the sender. */
export function bringsProof(headers: Headers): boolean {
  return PROOFS.some((name) => headers.get(name));
}

/** The answer to a request that cannot be valid once too many of these have come from its address: it is not even read. */
export function refuseUnread(c: Context, { strangers }: RefuseOptions): Response | undefined {
  const address = strangers?.addressOf(c);
  if (!strangers || address === undefined || !strangers.limit.isLimited(address)) return undefined;
  return tooMany(c, strangers, address);
}

/** A valid signature is never held against its address; the lack of one is, and the operator is told of it once. */
export function refuse(c: Context, { strangers, log }: RefuseOptions, refusal: Refusal): Response {
  const address = strangers?.addressOf(c);
  const standing = address === undefined ? undefined : strangers?.limit.failed(address);
  if (standing === 'first') log.warn({ address, path: refusal.place }, TEXT);
  if (strangers && address !== undefined && standing === 'limited') return tooMany(c, strangers, address);
  return c.json({ error: refusal.error }, refusal.status);
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
