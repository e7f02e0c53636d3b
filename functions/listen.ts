import { chmod, rm } from 'node:fs/promises';
import { createAdaptorServer, serve } from '@hono/node-server';
import type { Hono } from 'hono';
import { serverOptions } from '../lib/receive/server-options.ts';

/**
 * Serves an app on a socket that its owner alone may open; one that a dead process left behind is replaced.
 * @param path of the socket, in a directory that its owner alone may enter
 */
export async function listenOnSocket(app: Hono, path: string): Promise<{ close(): Promise<void> }> {
  await rm(path, { force: true });
  const server = createAdaptorServer({ fetch: app.fetch });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(path, resolve);
  });
  await chmod(path, 0o600);
  return { close: () => new Promise((done) => server.close(() => done())) };
}

/** A server that listens. */
export interface Listening {
  url: string;
  close(): Promise<void>;
}

/**
 * Serves an app over HTTP.
 * @throws Error when the address is taken
 */
export function listen(app: Hono, address: { host: string; port: number }): Promise<Listening> {
  return new Promise((resolve, reject) => {
    const server = serve(
      {
        fetch: app.fetch,
        port: address.port,
        hostname: address.host || '0.0.0.0',
        serverOptions,
      },
      ({ port }) => {
        const host = address.host === '' || address.host === '0.0.0.0' ? 'localhost' : address.host;
        const close = () => new Promise<void>((done) => server.close(() => done()));
        resolve({ url: `http://${host}:${port}`, close });
      },
    );
    server.on('error', reject);
  });
}
