import { once } from 'node:events';
import { createServer, request } from 'node:http';
import { type Delivery, readDelivery } from './webhook-delivery.ts';

/** A webhook and how it was answered. */
export interface AnsweredDelivery extends Delivery {
  status: number;
  /** How long Slipway took to answer, in ms. */
  ms: number;
}

export interface WebhookTap {
  stop(): void;
}

/**
 * Stands between those who send webhooks and Slipway, passes every delivery on unchanged, and tells how it was answered.
 * @param port where it listens
 */
export async function tapWebhooks(
  port: number,
  target: string,
  onDelivery: (delivery: AnsweredDelivery) => void,
): Promise<WebhookTap> {
  const server = createServer((incoming, outgoing) => {
    const began = performance.now();
    const body: Buffer[] = [];
    incoming.on('data', (part: Buffer) => body.push(part));
    const whole = once(incoming, 'end').then(() => Buffer.concat(body).toString());
    const finish = (status: number) => {
      const ms = performance.now() - began;
      whole.then(
        (text) => onDelivery({ ...readDelivery(incoming.headers, text), status, ms }),
        // Whoever sent it has gone away.
        () => {},
      );
    };
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
      // The rest of it is read all the same.
      incoming.resume();
    });
    incoming.pipe(onwards);
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, '127.0.0.1', resolve);
  });
  return {
    stop() {
      server.close();
      server.closeAllConnections();
    },
  };
}
