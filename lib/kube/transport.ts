import type { Pool } from 'undici';
import { NetworkRefused } from '../network.ts';
import type { KubeConnection } from './connection.ts';
import { KubeError } from './errors.ts';
import { type Answer, type Exchange, ExchangeError, exchange } from './exchange.ts';
import { refusalOf, type Subject, statusOf } from './refusal.ts';
import { type Attempt, type RetryOptions, withRetries } from './retry.ts';

/** One request to the API, before credentials. */
export interface ApiRequest {
  method: Exchange['method'];
  /** With its query; the path of `server` is put before it. */
  path: string;
  /** Names and values in turn; prepared once and shared by requests, so never changed. */
  headers: readonly string[];
  body?: string;
  /** In ms. */
  timeout: number;
  signal?: AbortSignal | undefined;
  /** Sending it twice does no harm, even when the first one was carried out. */
  idempotent: boolean;
  /** Called only when something went wrong. */
  subject: () => Subject;
  /**
   * Whether a 404 without a Status is asked again for a moment: after a CustomResourceDefinition was changed the server lists a version before
   * it serves it.
   */
  isListed?: boolean;
}

/** A successful answer. */
export interface Reply extends Answer {
  /** An earlier attempt may have been carried out by the server although no answer came. */
  maybeDone: boolean;
}

/** Sends requests with credentials and retries. */
export interface Transport {
  /** @param accepted statuses besides 2xx that are an answer, not an error */
  send(request: ApiRequest, accepted?: readonly number[]): Promise<Reply>;
  /** Headers that identify us, to be put before a request's own. */
  credentials(): Promise<readonly string[]>;
  /** The credential was refused: get a new one. False when there is none to get. */
  renew(refused: readonly string[]): Promise<boolean>;
  /** What stands before every path. */
  readonly prefix: string;
}

/** Statuses that say "not now"; a request that may be repeated is. */
const PASSING = new Set([502, 503, 504]);

/** How often a path that should be served is asked again: a second and a half with the pauses of a request. */
const UNSERVED_ATTEMPTS = 4;

/**
 * Everything between a request and the wire: credentials (one renewal after a 401), retries and errors.
 * 429 is always repeated, since the server did nothing; the rest only when the request is idempotent or was never sent.
 */
export function createTransport(connection: KubeConnection, pool: Pool, retry: RetryOptions): Transport {
  const prefix = new URL(connection.server).pathname.replace(/\/+$/, '');
  let current: Promise<readonly string[]> | undefined;

  function credentials(): Promise<readonly string[]> {
    current ??= authorization(connection).catch((error: unknown) => {
      current = undefined;
      throw error;
    });
    return current;
  }

  async function renew(refused: readonly string[]): Promise<boolean> {
    if (connection.tokenSource === undefined) return false;
    // Many requests may be refused at once: only the first one asks for a new token.
    if (current !== undefined && (await current) === refused) current = undefined;
    return true;
  }

  async function attempt(
    request: ApiRequest,
    accepted: readonly number[] | undefined,
    state: { maybeDone: boolean; renewed: boolean; unserved: number },
  ): Promise<Attempt<Reply>> {
    const known = await credentials();
    let answer: Answer;
    try {
      answer = await exchange(pool, {
        method: request.method,
        path: prefix + request.path,
        headers: [...known, ...request.headers],
        ...(request.body === undefined ? {} : { body: request.body }),
        timeout: request.timeout,
        signal: request.signal,
      });
    } catch (error) {
      return failed(error, request, state);
    }
    const { code } = answer;
    if (code === 404 && request.isListed && !statusOf(answer) && state.unserved < UNSERVED_ATTEMPTS) {
      state.unserved += 1;
      const error = refusalOf(answer, request.subject(), retry.now());
      return { retry: { error, retryAfter: undefined } };
    }
    if ((code >= 200 && code < 300) || accepted?.includes(code)) {
      return { value: { ...answer, maybeDone: state.maybeDone } };
    }
    if (code === 401 && !state.renewed && (await renew(known))) {
      state.renewed = true;
      return attempt(request, accepted, state);
    }
    const error = refusalOf(answer, request.subject(), retry.now());
    const asked = code === 429 || (code === 500 && error.retryAfter !== undefined) || PASSING.has(code);
    if (!asked || (code !== 429 && !request.idempotent)) throw error;
    if (code !== 429) state.maybeDone = true;
    return { retry: { error, retryAfter: error.retryAfter } };
  }

  return {
    prefix,
    credentials,
    renew,
    send(request, accepted) {
      const state = { maybeDone: false, renewed: false, unserved: 0 };
      return withRetries(retry, request.signal, () => attempt(request, accepted, state));
    },
  };
}

function failed(
  error: unknown,
  request: ApiRequest,
  state: { maybeDone: boolean },
): { retry: { error: KubeError; retryAfter: undefined } } {
  const failure = connectionError(error, request.subject().what);
  const sent = error instanceof ExchangeError && error.sent;
  const retryable =
    error instanceof ExchangeError &&
    error.kind === 'connection' &&
    !(error.cause instanceof NetworkRefused) &&
    !isTrustFault(error.cause) &&
    (request.idempotent || !sent);
  if (!retryable) throw failure;
  if (sent) state.maybeDone = true;
  return { retry: { error: failure, retryAfter: undefined } };
}

/** The KubeError (code 0) of a request that got no answer. */
export function connectionError(error: unknown, what: string): KubeError {
  const cause = error instanceof ExchangeError ? (error.cause ?? error) : error;
  const message = error instanceof Error ? error.message : String(error);
  return new KubeError(0, `${what}: ${message || 'the connection failed'}`, { cause });
}

/** A certificate that is not trusted does not become so by trying again. */
function isTrustFault(cause: unknown): boolean {
  const code = (cause as { code?: unknown } | undefined)?.code;
  return typeof code === 'string' && /CERT|ALTNAME|SELF_SIGNED|UNABLE_TO|ERR_SSL|ERR_TLS_CERT/.test(code);
}

async function authorization(connection: KubeConnection): Promise<readonly string[]> {
  const token = connection.tokenSource ? await connection.tokenSource() : connection.token;
  return token === undefined || token === '' ? [] : ['authorization', `Bearer ${token}`];
}
