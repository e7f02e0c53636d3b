import { isIP } from 'node:net';
import { getCACertificates } from 'node:tls';
import { buildConnector } from 'undici';
import type { NetworkPolicy } from './network.ts';

/**
 * An undici connector that dials only addresses which the policy has just allowed: the name is resolved once, checked, and
 * that very address is dialled, so a name that changes its address in between gains nothing.
 * @param ca further certificate authorities in PEM, besides the system's
 */
export function guardedConnector(policy: NetworkPolicy, ca?: string): buildConnector.connector {
  const connect = buildConnector({
    timeout: 10_000,
    autoSelectFamily: true,
    ...(ca === undefined ? {} : { ca: [...getCACertificates('default'), ca] }),
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
