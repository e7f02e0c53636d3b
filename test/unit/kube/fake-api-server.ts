import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/** One request as it arrived. */
export interface Seen {
  method: string;
  path: string;
  headers: IncomingMessage['headers'];
  body: string;
}

/** Answers one request; `seen.length` tells which one it is. */
export type Answer = (request: Seen, response: ServerResponse) => void;

/** An HTTP server that serves discovery of a few kinds and leaves the rest to `answer`. */
export interface FakeApiServer extends AsyncDisposable {
  server: string;
  /** Requests other than discovery, in order. */
  seen: Seen[];
}

const verbs = ['create', 'delete', 'get', 'list', 'patch', 'update', 'watch'];

function kind(resource: string, name: string, group: string, version: string) {
  return { resource, responseKind: { group, version, kind: name }, scope: 'Namespaced', verbs };
}

const CORE = {
  kind: 'APIGroupDiscoveryList',
  items: [
    {
      metadata: {},
      versions: [
        {
          version: 'v1',
          resources: [kind('configmaps', 'ConfigMap', '', 'v1'), kind('secrets', 'Secret', '', 'v1')],
        },
      ],
    },
  ],
};

/** Starts it on a free port of 127.0.0.1. */
export async function fakeApiServer(answer: Answer): Promise<FakeApiServer> {
  const seen: Seen[] = [];
  const server = createServer((request, response) => {
    let body = '';
    request.setEncoding('utf8');
    request.on('data', (chunk: string) => {
      body += chunk;
    });
    request.on('end', () => {
      const path = request.url ?? '';
      if (path === '/api' || path === '/apis') {
        json(response, 200, path === '/api' ? CORE : { kind: 'APIGroupDiscoveryList', items: [] });
        return;
      }
      const one = { method: request.method ?? '', path, headers: request.headers, body };
      seen.push(one);
      answer(one, response);
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  return {
    server: `http://127.0.0.1:${port}`,
    seen,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}

/** Sends JSON. */
export function json(response: ServerResponse, code: number, value: unknown, headers: object = {}): void {
  response.writeHead(code, { 'content-type': 'application/json', ...headers });
  response.end(JSON.stringify(value));
}

/** Sends the Status of a refusal. */
export function refuse(
  response: ServerResponse,
  code: number,
  reason: string,
  more: { message?: string; details?: object; headers?: object } = {},
): void {
  const { message = reason, details, headers = {} } = more;
  json(response, code, { kind: 'Status', status: 'Failure', code, reason, message, details }, headers);
}
