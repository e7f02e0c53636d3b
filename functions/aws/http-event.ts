import type { Context, Hono } from 'hono';

/** A request as API Gateway's HTTP API (payload 2.0) and function URLs hand it over. https://docs.aws.amazon.com/lambda/latest/dg/urls-invocation.html */
export interface HttpEvent {
  rawPath: string;
  rawQueryString: string;
  headers: Readonly<Record<string, string | undefined>>;
  cookies?: readonly string[];
  body?: string;
  isBase64Encoded: boolean;
  requestContext: { domainName?: string; http: { method: string; sourceIp?: string } };
}

/** The answer. */
export interface HttpAnswer {
  statusCode: number;
  headers: Record<string, string>;
  cookies?: string[];
  body: string;
  isBase64Encoded: boolean;
}

/** A function that answers HTTP. */
export type HttpHandler = (event: HttpEvent) => Promise<HttpAnswer>;

/** What an app learns of an event besides its request. */
interface Bindings {
  sourceIp: string | undefined;
}

/** The address that a request came from, as AWS saw it. */
export function addressOf(c: Context): string | undefined {
  return (c.env as Bindings | undefined)?.sourceIp;
}

/** The handler of a function that answers HTTP. */
export function httpHandler(open: () => Promise<{ app: Pick<Hono, 'fetch'> }>): HttpHandler {
  return async (event) => {
    const { app } = await open();
    let request: Request;
    try {
      request = requestOf(event);
    } catch {
      // A method or header that no request may have.
      return answerOf(Response.json({ error: 'the request could not be read' }, { status: 400 }));
    }
    const { sourceIp } = event.requestContext.http;
    return answerOf(await app.fetch(request, { sourceIp } satisfies Bindings));
  };
}

/**
 * The request of an event. What the sender said of its length is not believed: the length is that of the bytes that are there, which the
 * app counts against its limit.
 */
export function requestOf(event: HttpEvent): Request {
  const { method } = event.requestContext.http;
  const headers = new Headers();
  for (const [name, value] of Object.entries(event.headers))
    if (value !== undefined) headers.set(name, value);
  if (event.cookies !== undefined && event.cookies.length > 0)
    headers.set('cookie', event.cookies.join('; '));
  const query = event.rawQueryString === '' ? '' : `?${event.rawQueryString}`;
  // The path is joined as text: one that begins with two slashes would be read as another host.
  const url = new URL(`https://${event.requestContext.domainName ?? 'localhost'}${event.rawPath}${query}`);
  const hasBody = event.body !== undefined && method !== 'GET' && method !== 'HEAD';
  const body = hasBody ? Buffer.from(event.body ?? '', event.isBase64Encoded ? 'base64' : 'utf8') : undefined;
  headers.delete('transfer-encoding');
  if (body) headers.set('content-length', String(body.byteLength));
  else headers.delete('content-length');
  return new Request(url, { method, headers, ...(body ? { body } : {}) });
}

async function answerOf(response: Response): Promise<HttpAnswer> {
  const headers = Object.fromEntries(response.headers);
  delete headers['set-cookie'];
  const cookies = response.headers.getSetCookie();
  return {
    statusCode: response.status,
    headers,
    ...(cookies.length > 0 ? { cookies } : {}),
    body: await response.text(),
    isBase64Encoded: false,
  };
}
