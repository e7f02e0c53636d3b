import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

/** A request that a fake provider got. */
export interface ForgeRequest {
  method: string;
  /** Path and query as they were sent. */
  path: string;
  headers: Record<string, string | string[] | undefined>;
  /** The body as JSON; undefined when there was none. */
  body: Record<string, unknown> | undefined;
}

/** What a fake provider answers. */
export interface ForgeAnswer {
  status: number;
  headers?: Record<string, string>;
  /** Sent as JSON unless it is text. */
  body?: unknown;
}

/** A fake provider that records what it is asked. */
export interface ForgeServer {
  /** URL without a slash at its end. */
  url: string;
  requests: ForgeRequest[];
  /** Decides the answers; replace it at will. */
  answer: (request: ForgeRequest) => ForgeAnswer;
  stop(): Promise<void>;
}

/** Starts a fake provider on a free port of this machine. */
export async function startForgeServer(answer: ForgeServer['answer']): Promise<ForgeServer> {
  const server = createServer((incoming, response) => {
    const chunks: Buffer[] = [];
    incoming.on('data', (chunk: Buffer) => chunks.push(chunk));
    incoming.on('end', () => {
      const text = Buffer.concat(chunks).toString();
      const request: ForgeRequest = {
        method: incoming.method ?? '',
        path: incoming.url ?? '',
        headers: incoming.headers,
        body: text === '' ? undefined : (JSON.parse(text) as Record<string, unknown>),
      };
      self.requests.push(request);
      const { status, headers = {}, body } = self.answer(request);
      const sent = body === undefined ? '' : typeof body === 'string' ? body : JSON.stringify(body);
      response.writeHead(status, { 'content-type': 'application/json', ...headers }).end(sent);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const self: ForgeServer = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    requests: [],
    answer,
    stop: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
  return self;
}
