/** What API Gateway does for functions that answer HTTP: each request becomes an event of its payload format 2.0. */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { HttpEvent, HttpHandler } from '../../functions/aws/http-event.ts';

/** API Gateway's limit of a body. https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-quotas.html */
const MAX_BYTES = 10 * 1024 * 1024;

/** Serves handlers by path. @returns the address, and what ends it */
export async function serveHttp(
  port: number,
  route: (path: string) => HttpHandler,
): Promise<{ url: string; close(): Promise<void> }> {
  const server = createServer((request, response) => {
    answer(request, response, route).catch(() => response.writeHead(500).end('Internal Server Error'));
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, '127.0.0.1', resolve);
  });
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return {
    url,
    close: () =>
      new Promise((done) => {
        server.close(() => done());
        server.closeIdleConnections();
      }),
  };
}

async function answer(
  request: IncomingMessage,
  response: ServerResponse,
  route: (path: string) => HttpHandler,
): Promise<void> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    bytes += chunk.byteLength;
    if (bytes > MAX_BYTES) {
      response.writeHead(413, { connection: 'close' }).end();
      return;
    }
    chunks.push(chunk);
  }
  const event = eventOf(request, Buffer.concat(chunks));
  const { statusCode, headers, cookies, body, isBase64Encoded } = await route(event.rawPath)(event);
  response.writeHead(statusCode, { ...headers, ...(cookies ? { 'set-cookie': cookies } : {}) });
  response.end(Buffer.from(body, isBase64Encoded ? 'base64' : 'utf8'));
}

/** The event of a request. Bodies that are no text, or claim to be none, are in base64. */
export function eventOf(request: IncomingMessage, body: Buffer): HttpEvent {
  const [rawPath = '/', rawQueryString = ''] = (request.url ?? '/').split(/\?(.*)/s);
  const { cookie, ...given } = request.headers;
  const headers = Object.fromEntries(
    Object.entries(given).map(([name, value]) => [name, Array.isArray(value) ? value.join(',') : value]),
  );
  const isText = /^(text\/|application\/(json|xml|javascript)\b)/.test(headers['content-type'] ?? '');
  return {
    rawPath,
    rawQueryString,
    headers,
    ...(cookie === undefined ? {} : { cookies: cookie.split('; ') }),
    ...(body.byteLength === 0 ? {} : { body: body.toString(isText ? 'utf8' : 'base64') }),
    isBase64Encoded: !isText,
    requestContext: {
      domainName: headers.host?.split(':')[0] ?? 'localhost',
      http: {
        method: request.method ?? 'GET',
        ...(request.socket.remoteAddress ? { sourceIp: request.socket.remoteAddress } : {}),
      },
    },
  };
}
