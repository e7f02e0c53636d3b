import { createServer, request } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface WebhookDelivery {
  event: string;
  /** The pushed ref and the commit that it points at now, for pushes. */
  ref: string;
  commit: string;
  status: number;
  /** How long Slipway took to answer, in ms. */
  ms: number;
}

export interface WebhookTap {
  /** Where the provider sends its webhooks. */
  url: string;
  stop(): void;
}

/** Stands between the Git provider and Slipway, passes every delivery on unchanged, and tells how it was answered. */
export async function tapWebhooks(
  target: string,
  onDelivery: (delivery: WebhookDelivery) => void,
): Promise<WebhookTap> {
  const server = createServer((incoming, outgoing) => {
    const began = performance.now();
    const event = String(incoming.headers['x-gitea-event'] ?? 'unknown');
    const body: Buffer[] = [];
    const finish = (status: number) => {
      const { ref = '', after = '' } = JSON.parse(Buffer.concat(body).toString()) as {
        ref?: string;
        after?: string;
      };
      onDelivery({ event, ref, commit: after, status, ms: performance.now() - began });
    };
    incoming.on('data', (part: Buffer) => body.push(part));
    const onwards = request(
      `${target}${incoming.url}`,
      { method: incoming.method ?? 'POST', headers: incoming.headers },
      (answer) => {
        outgoing.writeHead(answer.statusCode ?? 502, answer.headers);
        answer.pipe(outgoing);
        finish(answer.statusCode ?? 502);
      },
    );
    onwards.on('error', () => {
      outgoing.writeHead(502).end();
      finish(502);
    });
    incoming.pipe(onwards);
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(0, '127.0.0.1', resolve);
  });
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    stop() {
      server.close();
      server.closeAllConnections();
    },
  };
}
