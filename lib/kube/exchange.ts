import type { IncomingHttpHeaders } from 'node:http';
import type { Dispatcher } from 'undici';

/** One HTTP request as it goes out. */
export interface Exchange {
  method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  path: string;
  /** Names and values in turn. */
  headers: string[];
  body?: string;
  /** In ms, from when the request is sent (not while it waits for a free connection). */
  timeout: number;
  signal?: AbortSignal | undefined;
}

/** What came back. */
export interface Answer {
  code: number;
  headers: IncomingHttpHeaders;
  body: Buffer;
}

/** No answer came: the request failed below HTTP. */
export class ExchangeError extends Error {
  override readonly name = 'ExchangeError';
  /** Whether the server may have seen the request; if not, anything may be sent again. */
  readonly sent: boolean;
  readonly kind: 'timeout' | 'aborted' | 'connection';

  constructor(kind: ExchangeError['kind'], message: string, sent: boolean, cause?: unknown) {
    super(message, { cause });
    this.kind = kind;
    this.sent = sent;
  }
}

const TIMED_OUT = new Error('timed out');
const ABORTED = new Error('aborted');

/**
 * Sends one request over a pool. A dispatch handler of our own instead of `request()`: bodies here are small, and one
 * stream a request costs more than all the rest.
 * @throws ExchangeError
 */
export function exchange(pool: Dispatcher, request: Exchange): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const { signal } = request;
    if (signal?.aborted) {
      reject(new ExchangeError('aborted', 'aborted before it was sent', false, signal.reason));
      return;
    }
    let controller: Dispatcher.DispatchController | undefined;
    let timer: NodeJS.Timeout | undefined;
    let code = 0;
    let headers: IncomingHttpHeaders = {};
    let first: Buffer | undefined;
    let rest: Buffer[] | undefined;
    let settled = false;

    function settle(error?: ExchangeError): void {
      if (settled) return;
      settled = true;
      clearTimeout(timer);
      signal?.removeEventListener('abort', onAbort);
      if (error) reject(error);
      else resolve({ code, headers, body: joined(first, rest) });
    }
    function onAbort(): void {
      settle(new ExchangeError('aborted', 'aborted', controller !== undefined, signal?.reason));
      controller?.abort(ABORTED);
    }

    signal?.addEventListener('abort', onAbort, { once: true });
    const handler: Dispatcher.DispatchHandler = {
      onRequestStart(started) {
        if (settled) {
          started.abort(ABORTED);
          return;
        }
        controller = started;
        timer = setTimeout(() => {
          settle(new ExchangeError('timeout', `no answer within ${request.timeout} ms`, true));
          started.abort(TIMED_OUT);
        }, request.timeout);
      },
      onResponseStart(_controller, statusCode, responseHeaders) {
        code = statusCode;
        headers = responseHeaders;
      },
      onResponseData(_controller, chunk) {
        if (first === undefined) first = chunk;
        else if (rest === undefined) rest = [first, chunk];
        else rest.push(chunk);
      },
      onResponseEnd() {
        settle();
      },
      onResponseError(_controller, error) {
        settle(new ExchangeError('connection', error.message, controller !== undefined, error));
      },
    };
    try {
      pool.dispatch(
        { method: request.method, path: request.path, headers: request.headers, body: request.body ?? null },
        handler,
      );
    } catch (error) {
      settle(
        new ExchangeError('connection', error instanceof Error ? error.message : String(error), false, error),
      );
    }
  });
}

const EMPTY = Buffer.alloc(0);

function joined(first: Buffer | undefined, rest: Buffer[] | undefined): Buffer {
  return rest === undefined ? (first ?? EMPTY) : Buffer.concat(rest);
}
