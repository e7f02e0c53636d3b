import { isIP } from 'node:net';
import { messageOf } from '../../lib/core/errors.ts';
import type { Http } from '../../lib/http.ts';
import { HttpError } from '../../lib/http-error.ts';
import type { NetworkPolicy } from '../../lib/network.ts';

/** Settings of {@link edgeHttp}. */
export interface EdgeHttpOptions {
  policy: NetworkPolicy;
  /** For the whole exchange, in ms, where a request says nothing. */
  timeoutMs: number;
  /** Of an answer's body, in bytes, where a request says nothing. */
  maxBytes: number;
  userAgent: string;
}

/**
 * Requests by the runtime's `fetch`, which alone opens connections of a Worker. The policy is asked about addresses; names are resolved by
 * Cloudflare, from where no private network can be reached. Redirects are handed back as the answer.
 */
export function edgeHttp(options: EdgeHttpOptions): Pick<Http, 'request'> {
  return {
    async request({ method = 'GET', url, headers = {}, body = null, secrets = [], ...limits }) {
      const { timeoutMs = options.timeoutMs, maxBytes = options.maxBytes, redirect, signal } = limits;
      const { hostname, href, origin, pathname } = new URL(url);
      const fail = (kind: HttpError['kind'], why: string, cause?: unknown) =>
        new HttpError(kind, `${method} ${origin}${pathname}: ${why}`, { cause, secrets });
      if (redirect === 'follow') throw fail('refused', 'a Worker follows no redirects');
      const address = hostname.replace(/^\[|\]$/g, '');
      if (isIP(address) !== 0)
        await options.policy.check(address).catch((error: unknown) => {
          throw fail('refused', messageOf(error), error);
        });
      const deadline = AbortSignal.timeout(timeoutMs);
      try {
        const answer = await fetch(href, {
          method,
          headers: { 'user-agent': options.userAgent, ...headers },
          body,
          redirect: 'manual',
          signal: signal ? AbortSignal.any([signal, deadline]) : deadline,
        });
        const bytes = await bounded(answer, maxBytes, () =>
          fail('too-large', `the answer is over the limit of ${maxBytes} bytes`),
        );
        const text = () => new TextDecoder().decode(bytes);
        return { status: answer.status, headers: answer.headers, url: href, body: bytes, text };
      } catch (error) {
        if (error instanceof HttpError) throw error;
        if (deadline.aborted) throw fail('timeout', `no complete answer within ${timeoutMs} ms`, error);
        throw fail('network', messageOf(error), error);
      }
    },
  };
}

/** The body, counted while it is read. */
async function bounded(answer: Response, maxBytes: number, tooLarge: () => HttpError): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  // Leaving the loop ends the connection.
  for await (const chunk of answer.body ?? []) {
    size += chunk.byteLength;
    if (size > maxBytes) throw tooLarge();
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}
