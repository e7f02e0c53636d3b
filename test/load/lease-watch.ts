import { createServer, request } from 'node:http';
import type { AddressInfo } from 'node:net';
import { buffer } from 'node:stream/consumers';
import type { Evidence, LeaseChange } from './evidence.ts';
import type { Life } from './write.ts';

/** A proxy before DynamoDB. */
export interface LeaseWatch {
  /** For `AWS_ENDPOINT_URL_DYNAMODB`. */
  url: string;
  stop(): Promise<void>;
}

/** A call that may write a lease. */
interface Update {
  Key?: { pk: { S: string }; sk: { S: string } };
  ExpressionAttributeValues?: { ':v'?: { S: string } };
}

/** A lease as its row holds it. */
type Held = Pick<LeaseChange, 'holder' | 'token' | 'until'>;

/** Starts a proxy that notes down which leases a worker takes, extends and gives back. @param life whose calls they are */
export async function startLeaseWatch(
  endpoint: string,
  evidence: Evidence,
  life: () => Life,
): Promise<LeaseWatch> {
  const { hostname, port } = new URL(endpoint);
  const server = createServer((incoming, response) => {
    const whose = life();
    const pass = async () => {
      const body = await buffer(incoming);
      const { method, headers, url: path } = incoming;
      const sent = request({ hostname, port, method, path, headers }, (answer) => {
        response.writeHead(answer.statusCode ?? 502, answer.headers);
        answer.pipe(response);
        if (answer.statusCode === 200 && String(headers['x-amz-target']).endsWith('.UpdateItem'))
          note(JSON.parse(body.toString()) as Update, whose);
      });
      sent.on('error', () => response.destroy());
      sent.end(body);
    };
    pass().catch(() => response.destroy());
  });

  function note({ Key, ExpressionAttributeValues: values }: Update, whose: Life): void {
    if (!Key?.pk.S.includes('#leases#') || !values?.[':v']) return;
    const { holder, token, until } = JSON.parse(values[':v'].S) as Held;
    evidence.leases.push({ life: whose, name: Key.sk.S, holder, token, until, at: Date.now() });
  }

  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    stop: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}
