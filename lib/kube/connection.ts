import { isIP, type LookupFunction } from 'node:net';
import { buildConnector, Pool } from 'undici';
import type { NetworkPolicy } from '../network.ts';

/** Where a cluster's API is and how to prove who we are. PEM texts, never file names. */
export interface KubeConnection {
  /** `https://host:port`, optionally with a path under which the API is served. */
  server: string;
  /** PEM of the authorities to trust; the system's own when missing. */
  caData?: string;
  certData?: string;
  keyData?: string;
  token?: string;
  /** Called for the first request and once more after a 401; wins over `token`. */
  tokenSource?: () => Promise<string>;
  /** The name that the server's certificate must carry, when it is not the host of `server`. */
  tlsServerName?: string;
  /** Accept any certificate. Only set when the operator allowed it. */
  insecureSkipTlsVerify?: boolean;
}

/** Options of {@link openPool}. */
export interface PoolOptions {
  /** Connections at most; null: no limit. */
  connections: number | null;
  /** In ms. */
  connectTimeout: number;
  network?: NetworkPolicy | undefined;
}

/** What one answer may hold at most, in bytes; a page of a list stays far below. */
const MAX_RESPONSE = 512 * 1024 * 1024;

/**
 * Opens kept-alive HTTP/1.1 connections to a cluster. Names are resolved once for each connection, checked, and the very
 * addresses that were checked are dialled, so a name that changes its address in between gains nothing.
 * @throws TypeError when `server` is not a URL
 */
export function openPool(connection: KubeConnection, options: PoolOptions): Pool {
  const { network } = options;
  const connect = buildConnector({
    timeout: options.connectTimeout,
    allowH2: false,
    autoSelectFamily: true,
    ...(connection.caData === undefined ? {} : { ca: connection.caData }),
    ...(connection.certData === undefined ? {} : { cert: connection.certData }),
    ...(connection.keyData === undefined ? {} : { key: connection.keyData }),
    ...(connection.tlsServerName === undefined ? {} : { servername: connection.tlsServerName }),
    ...(connection.insecureSkipTlsVerify ? { rejectUnauthorized: false } : {}),
    // The port is that of the request; undici's types ask for one here.
    port: 0,
    ...(network === undefined ? {} : { lookup: lookupWith(network) }),
  });
  return new Pool(new URL(connection.server).origin, {
    connections: options.connections,
    allowH2: false,
    pipelining: 1,
    keepAliveTimeout: 30_000,
    headersTimeout: 0,
    bodyTimeout: 0,
    maxResponseSize: MAX_RESPONSE,
    connect: network === undefined ? connect : guarded(connect, network),
  });
}

function lookupWith(network: NetworkPolicy): LookupFunction {
  return (host, options, callback) => {
    network.check(host).then(
      (addresses) => {
        const first = addresses[0];
        if (options.all) callback(null, addresses);
        else callback(null, first?.address ?? '', first?.family ?? 4);
      },
      (error: NodeJS.ErrnoException) => callback(error, '', 4),
    );
  };
}

/** An address is dialled without a lookup, so it has to be checked before. */
function guarded(connect: buildConnector.connector, network: NetworkPolicy): buildConnector.connector {
  return (target, callback) => {
    const host = target.hostname.replace(/^\[|\]$/g, '');
    if (isIP(host) === 0) {
      connect(target, callback);
      return;
    }
    network.check(host).then(
      () => connect(target, callback),
      (error: Error) => callback(error, null),
    );
  };
}
