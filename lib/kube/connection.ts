import { lookup as resolve } from 'node:dns';
import { isIP, type LookupFunction } from 'node:net';
import { buildConnector, Pool } from 'undici';

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

/**
 * Decides whether a connection to an IP address may be made.
 * @returns why not, or undefined when it may
 */
export type CheckAddress = (address: string, host: string) => string | undefined;

/** A refused address; never retried. */
export class AddressRefused extends Error {
  override readonly name = 'AddressRefused';
}

/** Options of {@link openPool}. */
export interface PoolOptions {
  /** Connections at most; null: no limit. */
  connections: number | null;
  /** In ms. */
  connectTimeout: number;
  checkAddress?: CheckAddress | undefined;
}

/** What a connection may answer with at most; a page of 500 objects at etcd's limit of 1.5 MiB each does not come near. */
const MAX_RESPONSE = 512 * 1024 * 1024;

/** Opens kept-alive HTTP/1.1 connections to a cluster. Every address is checked when it is connected to, not before. */
export function openPool(connection: KubeConnection, options: PoolOptions): Pool {
  const check = options.checkAddress;
  const connect = buildConnector({
    timeout: options.connectTimeout,
    allowH2: false,
    ...(connection.caData === undefined ? {} : { ca: connection.caData }),
    ...(connection.certData === undefined ? {} : { cert: connection.certData }),
    ...(connection.keyData === undefined ? {} : { key: connection.keyData }),
    ...(connection.tlsServerName === undefined ? {} : { servername: connection.tlsServerName }),
    ...(connection.insecureSkipTlsVerify ? { rejectUnauthorized: false } : {}),
    ...(check === undefined ? {} : { lookup: checkedLookup(check) }),
  });
  return new Pool(new URL(connection.server).origin, {
    connections: options.connections,
    allowH2: false,
    pipelining: 1,
    keepAliveTimeout: 30_000,
    headersTimeout: 0,
    bodyTimeout: 0,
    maxResponseSize: MAX_RESPONSE,
    connect: check === undefined ? connect : checkedConnector(connect, check),
  });
}

/** A literal address is never looked up, so it has to be checked before connecting. */
function checkedConnector(connect: buildConnector.connector, check: CheckAddress): buildConnector.connector {
  return (options, callback) => {
    const host = options.hostname.replace(/^\[|\]$/g, '');
    const why = isIP(host) === 0 ? undefined : check(host, host);
    if (why !== undefined) callback(new AddressRefused(why), null);
    else connect(options, callback);
  };
}

/** A lookup that fails when any address of the name is refused, so that a second answer cannot smuggle one in. */
function checkedLookup(check: CheckAddress): LookupFunction {
  return (hostname, options, callback) => {
    resolve(hostname, { ...options, all: true }, (error, addresses) => {
      if (error) return callback(error, '', 0);
      for (const { address } of addresses) {
        const why = check(address, hostname);
        if (why !== undefined) return callback(new AddressRefused(why), '', 0);
      }
      const first = addresses[0];
      if (options.all) callback(null, addresses);
      else if (first) callback(null, first.address, first.family);
      else callback(new Error(`${hostname} has no address`), '', 0);
    });
  };
}
