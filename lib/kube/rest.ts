import { setTimeout as delay } from 'node:timers/promises';
import type { Pool } from 'undici';
import type { NetworkPolicy } from '../network.ts';
import { parseBody } from './body.ts';
import type { KubeClient } from './client.ts';
import { type KubeConnection, openPool } from './connection.ts';
import { createDiscovery, type DiscoveryAnswer } from './discovery.ts';
import { KubeError } from './errors.ts';
import { type Identity, identityHeaders } from './headers.ts';
import { createReads } from './reads.ts';
import type { RetryOptions } from './retry.ts';
import type { Session, UserSession } from './session.ts';
import { createTransport, type Transport } from './transport.ts';
import { createWrites } from './writes.ts';

/** Options of {@link createKubeClient}. */
export interface KubeClientOptions {
  /** Connections kept to the server at most; watches have their own. Default: 32. */
  connections?: number;
  /** For a request that is not an apply, in ms. Default: 30 s. */
  timeout?: number;
  /** For a server-side apply, in ms: large objects take the server long. Default: 60 s. */
  applyTimeout?: number;
  /** For connecting, in ms. Default: 10 s. */
  connectTimeout?: number;
  /** Decides which addresses may be dialled; all when missing. */
  network?: NetworkPolicy;
  retry?: Partial<RetryOptions>;
  /** Default: `slipway`. */
  userAgent?: string;
}

/**
 * A client for one cluster. It connects when first used.
 * @throws TypeError when `server` is not a URL
 */
export function createKubeClient(connection: KubeConnection, options: KubeClientOptions = {}): KubeClient {
  const retry: RetryOptions = {
    attempts: 8,
    budget: 60_000,
    baseDelay: 100,
    maxDelay: 5_000,
    now: Date.now,
    sleep: (ms, signal) => delay(ms, undefined, signal ? { signal } : {}),
    random: Math.random,
    ...options.retry,
  };
  const poolOptions = {
    connectTimeout: options.connectTimeout ?? 10_000,
    network: options.network,
  };
  const pool = openPool(connection, { ...poolOptions, connections: options.connections ?? 32 });
  const transport = createTransport(connection, pool, retry);
  const userAgent = options.userAgent ?? 'slipway';
  const timeout = options.timeout ?? 30_000;
  let watchPool: Pool | undefined;
  const session: Session = {
    watchPool: () => {
      watchPool ??= openPool(connection, { ...poolOptions, connections: null });
      return watchPool;
    },
    transport,
    discovery: createDiscovery((path, etag) => discover(transport, userAgent, timeout, path, etag)),
    timeout,
    applyTimeout: options.applyTimeout ?? 60_000,
    now: retry.now,
  };
  let closing: Promise<unknown> | undefined;
  return clientAs(undefined, session, userAgent, async () => {
    closing ??= Promise.all([pool.close(), watchPool?.destroy()]);
    await closing;
  });
}

async function discover(
  transport: Transport,
  userAgent: string,
  timeout: number,
  path: string,
  etag: string | undefined,
): Promise<DiscoveryAnswer> {
  const { discovery } = identityHeaders(undefined, userAgent);
  const reply = await transport.send(
    {
      method: 'GET',
      path,
      headers: etag === undefined ? discovery : [...discovery, 'if-none-match', etag],
      timeout,
      idempotent: true,
      subject: () => ({ what: `discovery of ${path}`, secret: false }),
    },
    [304, 404],
  );
  if (reply.code === 304) return 'unchanged';
  // Must not pass for "the object does not exist".
  if (reply.code === 404) {
    throw new KubeError(
      0,
      `discovery of ${path}: not found; is the address that of a Kubernetes API server?`,
    );
  }
  const tag = reply.headers.etag;
  return { document: parseBody(reply, `discovery of ${path}`), etag: tag };
}

function clientAs(
  identity: Identity | undefined,
  session: Session,
  userAgent: string,
  close: () => Promise<void>,
): KubeClient {
  const { discovery } = session;
  const own: UserSession = { ...session, headers: identityHeaders(identity, userAgent) };
  return {
    as: (user, groups = []) => clientAs({ user, groups }, session, userAgent, close),
    resource: (gvk) => discovery.resource(gvk),
    preferred: (group, kind) => discovery.preferred(group, kind),
    resources: () => discovery.resources(),
    invalidate: () => discovery.invalidate(),
    ...createReads(own),
    ...createWrites(own),
    close,
  };
}
