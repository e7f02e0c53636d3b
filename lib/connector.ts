import { isIP } from 'node:net';
import { getCACertificates } from 'node:tls';
import { buildConnector } from 'undici';
import type { NetworkPolicy } from './network.ts';

/** Certificates of a connection. */
export interface TlsOptions {
  /** Further certificate authorities in PEM, besides the system's. */
  ca?: string;
  /** The certificate that the client shows, and its key, in PEM. */
  client?: { certificate: string; key: string };
}

/** The same, as Node and undici take it. */
export function tlsSettings({ ca, client }: TlsOptions) {
  return {
    ...(ca === undefined ? {} : { ca: [...getCACertificates('default'), ca] }),
    ...(client === undefined ? {} : { cert: client.certificate, key: client.key }),
  };
}

/**
 * An undici connector that dials only addresses which the policy has just allowed: the name is resolved once, checked, and
 * that very address is dialled, so a name that changes its address in between gains nothing.
 * @param tls what is trusted and shown besides the usual
 */
export function guardedConnector(policy: NetworkPolicy, tls: TlsOptions = {}): buildConnector.connector {
  const connect = buildConnector({
    timeout: 10_000,
    autoSelectFamily: true,
    ...tlsSettings(tls),
    // The port is that of the request; undici's types ask for one here.
    port: 0,
    lookup(host, options, callback) {
      policy.check(host).then(
        (addresses) => {
          const [first] = addresses;
          if (options.all) callback(null, addresses);
          else callback(null, first?.address ?? '', first?.family ?? 4);
        },
        (error: NodeJS.ErrnoException) => callback(error, '', 4),
      );
    },
  });
  return (target, callback) => {
    const host = target.hostname.replace(/^\[|\]$/g, '');
    // An address is dialled without a lookup, so it is checked here.
    if (isIP(host) === 0) return connect(target, callback);
    policy.check(host).then(
      () => connect({ ...target, hostname: host }, callback),
      (error: Error) => callback(error, null),
    );
  };
}
