import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { Agent, createServer, request } from 'node:https';
import type { AddressInfo, Socket } from 'node:net';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
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

/** A write and what came of it. */
export interface SeenWrite {
  /** As in {@link PassingWrite}. */
  number: number;
  method: string;
  path: string;
  /** As it was sent. */
  body: string;
  /** When it came, when it was passed on and when it was answered: epoch in ms. */
  arrivedAt: number;
  forwardedAt: number;
  answeredAt: number;
  /** Of the answer; 0 when none came. */
  status: number;
  answer: string;
}

/** What a proxy does with writes beside passing them on. */
export interface KubeProxyOptions {
  /**
   * Told of each write once the whole of it is there. Where it gives a promise, the write is on its way until that resolves, and then
   * reaches the API server even if its client is gone.
   */
  hold?(write: Pick<SeenWrite, 'number' | 'path' | 'body'>): Promise<void> | undefined;
  /** Told of each write that was answered. */
  seen?(write: SeenWrite): void;
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
export async function startKubeProxy(
  kubernetes: Kubernetes,
  { hold, seen }: KubeProxyOptions = {},
): Promise<KubeProxy> {
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
    if (isWrite && (hold || seen)) {
      passWhole(number, incoming, answer).catch(() => answer.destroy());
      return;
    }
    const sent = request(
      `${kubernetes.server}${path}`,
      { method, headers: incoming.headers, agent },
      (reply) => {
        if (drops('after')) return void reply.resume();
        answer.writeHead(reply.statusCode ?? 502, reply.headers);
        // Of a watch nothing else may come for long.
        answer.flushHeaders();
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

  /** Takes a write in, and gives it to the API server in one piece. */
  async function passWhole(number: number, incoming: IncomingMessage, answer: ServerResponse): Promise<void> {
    const { method = '', url: path = '/' } = incoming;
    const body = (await buffer(incoming)).toString();
    const arrivedAt = Date.now();
    await hold?.({ number, path, body });
    const forwardedAt = Date.now();
    const tell = (status: number, text: Buffer) =>
      seen?.({
        ...{ number, method, path, body, arrivedAt, forwardedAt, answeredAt: Date.now() },
        ...{ status, answer: text.toString() },
      });
    try {
      const sent = request(`${kubernetes.server}${path}`, { method, headers: incoming.headers, agent });
      sent.end(body);
      const [reply] = (await once(sent, 'response')) as [IncomingMessage];
      const text = await buffer(reply);
      tell(reply.statusCode ?? 502, text);
      answer.writeHead(reply.statusCode ?? 502, reply.headers).end(text);
    } catch (error) {
      tell(0, Buffer.alloc(0));
      throw error;
    }
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
