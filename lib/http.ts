import { Agent, type Dispatcher, Pool, ProxyAgent, request as send } from 'undici';
import { guardedConnector, type TlsOptions, tlsSettings } from './connector.ts';
import { messageOf } from './core/errors.ts';
import { HttpError } from './http-error.ts';
import type { NetworkPolicy } from './network.ts';
import { NetworkRefused } from './network.ts';

/** A request. */
export interface HttpRequest {
  /** Default: GET. */
  method?: 'GET' | 'HEAD' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  /** An absolute http or https URL without user and password. */
  url: string | URL;
  headers?: Readonly<Record<string, string>>;
  body?: string | Uint8Array;
  /**
   * `none` (default) hands a redirect back as the answer. `follow` follows up to five of a GET or HEAD; to another origin only
   * harmless headers go along, and never from https to http.
   */
  redirect?: 'none' | 'follow';
  /** For the whole exchange, in ms; the client's when absent. */
  timeoutMs?: number;
  /** Of the answer's body; the client's when absent. */
  maxBytes?: number;
  /** Values that must not appear in an error. Credentials in headers are always removed. */
  secrets?: readonly string[];
  signal?: AbortSignal;
}

/** An answer, whatever its status. */
export interface HttpResponse {
  status: number;
  headers: Headers;
  body: Uint8Array;
  /** Where the answer came from after redirects. */
  url: string;
  /** The body as UTF-8. */
  text(): string;
}

/** An answer whose body is still to be read; read it to its end or leave its loop, which closes the connection. */
export interface HttpStream {
  status: number;
  headers: Headers;
  url: string;
  body: AsyncIterable<Uint8Array>;
}

/** The outgoing HTTP client. Both throw {@link HttpError} and nothing else. */
export interface Http {
  request(request: HttpRequest): Promise<HttpResponse>;
  /** As `request`, with the body in pieces; reading it may throw as well. */
  stream(request: HttpRequest): Promise<HttpStream>;
  close(): Promise<void>;
}

/** Settings of {@link createHttp}. */
export interface HttpOptions {
  policy: NetworkPolicy;
  /** Default for the whole exchange, in ms. */
  timeoutMs: number;
  /** Default limit of an answer's body. */
  maxBytes: number;
  userAgent: string;
  tls?: TlsOptions;
  /** `http://[user:password@]host:port`: the proxy that everything goes through. The policy is then asked about the proxy alone. */
  proxy?: string;
}

const MAX_REDIRECTS = 5;

/** What may go to another origin after a redirect: whatever is not here could be a credential. */
const HARMLESS = new Set([
  'accept',
  'accept-language',
  'range',
  'if-none-match',
  'if-modified-since',
  'user-agent',
]);

/**
 * Makes the only HTTP client that talks to the outside. Names are resolved and checked by the policy at dial time, so a name
 * that changes its address between a check and the connection gains nothing.
 */
export function createHttp(options: HttpOptions): Http {
  const agent = dispatcherOf(options);

  async function stream(request: HttpRequest): Promise<HttpStream> {
    const secrets = [...(request.secrets ?? []), ...credentialsOf(request.headers ?? {})];
    const maxBytes = request.maxBytes ?? options.maxBytes;
    const timeoutMs = request.timeoutMs ?? options.timeoutMs;
    const deadline = AbortSignal.timeout(timeoutMs);
    const signal = request.signal ? AbortSignal.any([deadline, request.signal]) : deadline;
    let url = checkUrl(String(request.url), secrets);
    let headers: Record<string, string> = { 'user-agent': options.userAgent };
    for (const [name, value] of Object.entries(request.headers ?? {})) headers[name.toLowerCase()] = value;
    const method = request.method ?? 'GET';
    const fail = (error: unknown) => asHttpError(error, method, url, { deadline, timeoutMs, secrets });

    for (let hops = 0; ; hops += 1) {
      const answer = await send(url, {
        method,
        headers,
        body: request.body ?? null,
        dispatcher: agent,
        signal,
        headersTimeout: timeoutMs,
        bodyTimeout: timeoutMs,
      }).catch((error: unknown) => {
        throw fail(error);
      });
      const received = toHeaders(answer.headers);
      const location = received.get('location');
      const follows = request.redirect === 'follow' && (method === 'GET' || method === 'HEAD');
      if (!follows || location === null || ![301, 302, 303, 307, 308].includes(answer.statusCode)) {
        const body = bounded(answer.body, maxBytes, Number(received.get('content-length') ?? 0), fail);
        return { status: answer.statusCode, headers: received, url: url.href, body };
      }
      await answer.body.dump({ limit: 65_536 }).catch(() => undefined);
      if (hops >= MAX_REDIRECTS) throw refuse(method, url, `more than ${MAX_REDIRECTS} redirects`, secrets);
      const next = URL.canParse(location, url.href) ? new URL(location, url) : undefined;
      if (!next) throw refuse(method, url, 'it redirects to no valid address', secrets);
      checkUrl(next.href, secrets);
      if (url.protocol === 'https:' && next.protocol === 'http:')
        throw refuse(method, url, 'it redirects from https to http', secrets);
      if (next.origin !== url.origin)
        headers = Object.fromEntries(Object.entries(headers).filter(([name]) => HARMLESS.has(name)));
      url = next;
    }
  }

  return {
    stream,
    async request(request) {
      const { status, headers, url, body } = await stream(request);
      const chunks: Uint8Array[] = [];
      for await (const chunk of body) chunks.push(chunk);
      const bytes = Buffer.concat(chunks);
      return { status, headers, url, body: bytes, text: () => bytes.toString('utf8') };
    },
    close: () => agent.close(),
  };
}

function dispatcherOf({ policy, tls, proxy }: HttpOptions): Dispatcher {
  if (proxy === undefined) return new Agent({ connect: guardedConnector(policy, tls) });
  const url = new URL(proxy);
  const user = decodeURIComponent(url.username);
  const basic = Buffer.from(`${user}:${decodeURIComponent(url.password)}`).toString('base64');
  return new ProxyAgent({
    uri: url.origin,
    ...(user === '' ? {} : { token: `Basic ${basic}` }),
    ...(tls === undefined ? {} : { requestTls: tlsSettings(tls) }),
    // Without a tunnel, undici would connect to the proxy past the guard.
    proxyTunnel: true,
    clientFactory: (origin, given) => new Pool(origin, { ...given, connect: guardedConnector(policy) }),
  });
}

/** Refuses what is no plain http(s) URL; credentials belong in headers, where redirects and errors drop them. */
function checkUrl(given: string, secrets: readonly string[]): URL {
  const url = URL.canParse(given) ? new URL(given) : undefined;
  if (!url) throw new HttpError('refused', `"${given}" is no URL`, { secrets });
  if (url.protocol !== 'https:' && url.protocol !== 'http:')
    throw new HttpError('refused', `${url.protocol}// is not allowed, only https:// and http://`, {
      secrets,
    });
  if (url.username !== '' || url.password !== '')
    throw new HttpError(
      'refused',
      `${url.host}: the URL holds a user or password; put it in a secret instead`,
    );
  return url;
}

function refuse(method: string, url: URL, why: string, secrets: readonly string[]): HttpError {
  return new HttpError('refused', `${method} ${show(url)}: ${why}`, { secrets });
}

/** Without its query, which may hold a signature. */
function show(url: URL): string {
  return `${url.origin}${url.pathname}`;
}

function asHttpError(
  error: unknown,
  method: string,
  url: URL,
  context: { deadline: AbortSignal; timeoutMs: number; secrets: readonly string[] },
): HttpError {
  if (error instanceof HttpError) return error;
  const where = `${method} ${show(url)}`;
  const rest = { cause: error, secrets: context.secrets };
  const refused = findRefusal(error);
  if (refused) return new HttpError('refused', `${where}: ${refused.message}`, rest);
  if (context.deadline.aborted || /Timeout/.test(error instanceof Error ? error.name : ''))
    return new HttpError('timeout', `${where}: no complete answer within ${context.timeoutMs} ms`, rest);
  return new HttpError('network', `${where}: ${messageOf(error)}`, rest);
}

function findRefusal(error: unknown): NetworkRefused | undefined {
  if (error instanceof NetworkRefused) return error;
  if (error instanceof AggregateError)
    return error.errors.map(findRefusal).find((found) => found !== undefined);
  return error instanceof Error && error.cause !== undefined ? findRefusal(error.cause) : undefined;
}

async function* bounded(
  body: AsyncIterable<Uint8Array>,
  maxBytes: number,
  announced: number,
  fail: (error: unknown) => HttpError,
): AsyncGenerator<Uint8Array> {
  const tooLarge = new HttpError('too-large', `the answer is over the limit of ${maxBytes} bytes`);
  let size = 0;
  try {
    for await (const chunk of body) {
      size += chunk.byteLength;
      if (size > maxBytes || announced > maxBytes) throw tooLarge;
      yield chunk;
    }
  } catch (error) {
    throw fail(error);
  }
}

function toHeaders(raw: Record<string, string | string[] | undefined>): Headers {
  const headers = new Headers();
  for (const [name, value] of Object.entries(raw))
    for (const one of Array.isArray(value) ? value : [value])
      if (one !== undefined) headers.append(name, one);
  return headers;
}

/** The secret parts of request headers: of `Basic` and `Bearer` what follows, of token headers the whole value. */
function credentialsOf(headers: Readonly<Record<string, string>>): string[] {
  return Object.entries(headers)
    .filter(([name]) =>
      /^(authorization|cookie|proxy-authorization|private-token|x-.*(token|key|secret).*)$/i.test(name),
    )
    .flatMap(([, value]) => [value, value.replace(/^\w+\s+/, '')]);
}
