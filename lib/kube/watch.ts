import type { Dispatcher, Pool } from 'undici';
import type { KubernetesObject } from '../core/object.ts';
import type { WatchEvent } from './client.ts';
import { KubeError, type Status } from './errors.ts';
import { ExchangeError } from './exchange.ts';
import { refusalOf } from './refusal.ts';
import { connectionError, type Transport } from './transport.ts';

/** How long the server keeps one watch open, in seconds; the caller starts the next one. */
const SERVER_TIMEOUT = 290;
/** Silence after which the connection counts as dead, in ms: the server ends a live one before that. */
const SILENCE = (SERVER_TIMEOUT + 30) * 1_000;

/** What to watch. */
export interface WatchRequest {
  /** The collection's path. */
  path: string;
  query: URLSearchParams;
  headers: readonly string[];
  /** What is watched, for errors. */
  what: string;
  secret: boolean;
  signal?: AbortSignal | undefined;
  /** Epoch in ms. */
  now: () => number;
}

/**
 * One watch: from a resourceVersion until the server ends it or the signal aborts, both of which end the loop quietly.
 * @throws KubeError when the server refuses, reports an error in the stream (410: list again), or the connection breaks
 * @see https://kubernetes.io/docs/reference/using-api/api-concepts/#efficient-detection-of-changes
 */
export async function* watchEvents<T extends KubernetesObject>(
  pool: Pool,
  transport: Transport,
  request: WatchRequest,
): AsyncGenerator<WatchEvent<T>> {
  request.query.set('watch', '1');
  request.query.set('allowWatchBookmarks', 'true');
  request.query.set('timeoutSeconds', String(SERVER_TIMEOUT));
  try {
    const body = await open(pool, transport, request);
    for await (const line of lines(body)) yield eventOf<T>(line, request.what);
  } catch (error) {
    if (request.signal?.aborted) return;
    if (error instanceof KubeError) throw error;
    throw connectionError(new ExchangeError('connection', messageOf(error), true, error), request.what);
  }
}

async function open(
  pool: Pool,
  transport: Transport,
  request: WatchRequest,
  renewed = false,
): Promise<Dispatcher.ResponseData['body']> {
  const known = await transport.credentials();
  const { statusCode, headers, body } = await pool.request({
    method: 'GET',
    path: `${transport.prefix}${request.path}?${request.query}`,
    headers: [...known, ...request.headers],
    headersTimeout: 60_000,
    bodyTimeout: SILENCE,
    signal: request.signal ?? null,
  });
  if (statusCode === 200) return body;
  const answer = { code: statusCode, headers, body: Buffer.from(await body.arrayBuffer()) };
  if (statusCode === 401 && !renewed && (await transport.renew(known))) {
    return open(pool, transport, request, true);
  }
  throw refusalOf(answer, { what: request.what, secret: request.secret }, request.now());
}

function eventOf<T extends KubernetesObject>(line: string, what: string): WatchEvent<T> {
  const event = JSON.parse(line) as WatchEvent<T> | { type: 'ERROR'; object: Status };
  if (event.type !== 'ERROR') return event;
  const { code, message, reason } = event.object;
  throw new KubeError(code ?? 500, `${what}: ${message ?? reason ?? 'the watch failed'}`, {
    status: event.object,
  });
}

/** Splits a stream at line feeds; an unfinished last line is dropped, since the server never sent its end. */
async function* lines(stream: AsyncIterable<Buffer>): AsyncGenerator<string> {
  let pending: Buffer[] = [];
  for await (const chunk of stream) {
    let start = 0;
    for (let end = chunk.indexOf(0x0a); end >= 0; end = chunk.indexOf(0x0a, start)) {
      pending.push(chunk.subarray(start, end));
      const line = Buffer.concat(pending).toString('utf8');
      pending = [];
      start = end + 1;
      if (line.trim() !== '') yield line;
    }
    if (start < chunk.length) pending.push(chunk.subarray(start));
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
