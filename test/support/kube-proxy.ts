import { readFile } from 'node:fs/promises';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { Agent, createServer, request } from 'node:https';
import type { AddressInfo, Socket } from 'node:net';
import { join } from 'node:path';
import { type Kubernetes, kubeconfigFor } from './kubernetes.ts';

/** A write as it passes. */
export interface PassingWrite {
  /** Counts the writes since {@link KubeProxy.count} was last set to 0, from 1. */
  number: number;
  method: string;
  path: string;
  /** `before` it reaches the API server; `after` the server has answered and before the client hears of it. */
  when: 'before' | 'after';
}

/** A proxy in front of an API server that counts what is written. */
export interface KubeProxy {
  /** The way to the API server through this proxy. */
  kubeconfig: string;
  /** Writes until now; may be set. */
  count: number;
  /** Called for every write. When it answers true the request, or its answer, goes nowhere. */
  onWrite: ((write: PassingWrite) => boolean) | undefined;
  stop(): Promise<void>;
}

const WRITES = new Set(['POST', 'PUT', 'PATCH', 'DELETE']);

/** Starts a proxy with the certificate of the API server itself, so that its clients see no difference. */
export async function startKubeProxy(kubernetes: Kubernetes): Promise<KubeProxy> {
  const [cert, key] = await Promise.all(
    ['apiserver.crt', 'apiserver.key'].map((name) =>
      readFile(join(kubernetes.directory, 'certificates', name)),
    ),
  );
  const agent = new Agent({ keepAlive: true, ca: kubernetes.caData });
  const sockets = new Set<Socket>();
  const server = createServer({ cert, key }, (incoming, answer) => pass(incoming, answer));
  server.on('connection', (socket: Socket) => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
    // A client that is killed resets its connections.
    socket.on('error', () => {});
  });

  function pass(incoming: IncomingMessage, answer: ServerResponse): void {
    const { method = 'GET', url: path = '/' } = incoming;
    const isWrite = WRITES.has(method) && !path.includes('dryRun=');
    if (isWrite) proxy.count += 1;
    const number = proxy.count;
    const drops = (when: PassingWrite['when']) =>
      isWrite && proxy.onWrite?.({ number, method, path, when }) === true;
    if (drops('before')) return void incoming.resume();
    const sent = request(
      `${kubernetes.server}${path}`,
      { method, headers: incoming.headers, agent },
      (reply) => {
        if (drops('after')) return void reply.resume();
        answer.writeHead(reply.statusCode ?? 502, reply.headers);
        reply.pipe(answer);
        reply.on('error', () => answer.destroy());
      },
    );
    sent.on('error', () => answer.destroy());
    answer.on('close', () => {
      if (!answer.writableEnded) sent.destroy();
    });
    incoming.on('error', () => {});
    incoming.pipe(sent);
  }

  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const proxy: KubeProxy = {
    kubeconfig: kubeconfigFor('proxied', { ...kubernetes, server: `https://127.0.0.1:${port}` }),
    count: 0,
    onWrite: undefined,
    async stop() {
      for (const socket of sockets) socket.destroy();
      agent.destroy();
      await new Promise<void>((resolve) => server.close(() => resolve()));
    },
  };
  return proxy;
}
