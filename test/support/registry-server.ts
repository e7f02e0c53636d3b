import { createServer, type IncomingHttpHeaders } from 'node:http';
import type { AddressInfo } from 'node:net';

/** A request that a scripted registry got. */
export interface ScriptedRequest {
  method: string;
  /** Path and query as they were sent. */
  path: string;
  headers: IncomingHttpHeaders;
  body: string;
}

/** What a scripted registry answers. */
export interface ScriptedAnswer {
  status?: number;
  headers?: Record<string, string>;
  /** Sent as JSON unless it is text or bytes. */
  body?: unknown;
}

/** A server that misbehaves as it is told: for what a real registry does not do. */
export interface ScriptedServer {
  /** Host and port. */
  host: string;
  url: string;
  requests: ScriptedRequest[];
  stop(): Promise<void>;
}

/**
 * Starts a scripted server on a free port of this machine.
 * @param address where it listens; another address of the loopback network makes it another host
 */
export async function startScripted(
  answer: (request: ScriptedRequest) => ScriptedAnswer,
  address = '127.0.0.1',
): Promise<ScriptedServer> {
  const requests: ScriptedRequest[] = [];
  const server = createServer((incoming, response) => {
    const parts: Buffer[] = [];
    incoming.on('data', (part: Buffer) => parts.push(part));
    incoming.on('end', () => {
      const request = {
        method: incoming.method ?? '',
        path: incoming.url ?? '',
        headers: incoming.headers,
        body: Buffer.concat(parts).toString(),
      };
      requests.push(request);
      const { status = 200, headers = {}, body } = answer(request);
      const isPlain = typeof body === 'string' || body instanceof Uint8Array || body === undefined;
      response.writeHead(status, headers).end(isPlain ? body : JSON.stringify(body));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, address, resolve));
  const host = `${address}:${(server.address() as AddressInfo).port}`;
  return {
    host,
    url: `http://${host}`,
    requests,
    stop: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}
