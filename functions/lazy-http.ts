import type { Http, HttpOptions } from '../lib/http.ts';
import type { createNetworkPolicy } from '../lib/network.ts';

/** Settings of the client, with those of its network policy. */
export interface LazyHttpOptions extends Omit<HttpOptions, 'policy'> {
  network: Parameters<typeof createNetworkPolicy>[0];
}

/** The outgoing HTTP client for a function that seldom needs one: nothing of it is loaded before the first request. */
export function lazyHttp({ network, ...options }: LazyHttpOptions): Http {
  let opened: Promise<Http> | undefined;
  const open = () => {
    opened ??= Promise.all([import('../lib/http.ts'), import('../lib/network.ts')]).then(
      ([{ createHttp }, { createNetworkPolicy }]) =>
        createHttp({ ...options, policy: createNetworkPolicy(network) }),
    );
    return opened;
  };
  return {
    request: async (request) => (await open()).request(request),
    stream: async (request) => (await open()).stream(request),
    close: async () => (await opened)?.close(),
  };
}
