import type { Context } from 'hono';
import { type BodyFault, readBody } from './read-body.ts';
import type { Delivery } from './receiver.ts';

/** How much of a request is taken in. */
export interface IntakeLimits {
  /** Default: 3 MiB, as Flux. */
  maxBodyBytes?: number;
  /** For a whole body, in ms. Default: 30 s. */
  bodyTimeoutMs?: number;
}

const MAX_BODY_BYTES = 3 * 1024 * 1024;
const BODY_TIMEOUT_MS = 30_000;
const MAX_HEADER_BYTES = 32 * 1024;

const FAULTS = {
  'too-large': { status: 413, error: 'the body is too large; the change will be found by the next sweep' },
  'too-slow': { status: 408, error: 'the body took too long' },
  broken: { status: 400, error: 'the body could not be read' },
} as const satisfies Record<BodyFault, { status: number; error: string }>;

/** Takes in a request, or answers why it is not: 400, 408, 413, 415 or 431. */
export async function takeIn(c: Context, limits: IntakeLimits): Promise<Delivery | Response> {
  const { headers } = c.req.raw;
  if (headerBytes(headers) > MAX_HEADER_BYTES) return c.json({ error: 'the headers are too large' }, 431);
  if (!['', 'identity'].includes(headers.get('content-encoding')?.toLowerCase() ?? ''))
    return c.json({ error: 'compressed bodies are not accepted' }, 415);
  const body = await readBody(
    c.req.raw,
    limits.maxBodyBytes ?? MAX_BODY_BYTES,
    limits.bodyTimeoutMs ?? BODY_TIMEOUT_MS,
  );
  if (typeof body !== 'string') return { headers, body };
  const { status, error } = FAULTS[body];
  // What is left of the body is not read, so the connection cannot be used again.
  return c.json({ error }, status, { connection: 'close' });
}

function headerBytes(headers: Headers): number {
  let bytes = 0;
  for (const [name, value] of headers) bytes += name.length + value.length + 4;
  return bytes;
}
