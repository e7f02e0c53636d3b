import { LRUCache } from 'lru-cache';
import type { CloudName, RegistryCloud, RegistryLogin } from './registry-login.ts';

/** Logins of registries by identities of this process. */
export interface RegistryLogins {
  /**
   * @param host of the registry
   * @throws Error when the host is no registry of the cloud, or there is no identity that it accepts
   */
  login(cloud: CloudName, host: string, signal: AbortSignal): Promise<RegistryLogin>;
}

/** So long before its end a login is replaced, in ms; no scan takes longer. */
const MARGIN_MS = 10 * 60_000;

/** Logins are kept while they are good. */
export function createRegistryLogins(
  clouds: Readonly<Record<CloudName, RegistryCloud>>,
  now: () => number,
): RegistryLogins {
  const known = new LRUCache<string, RegistryLogin>({ max: 1_000 });
  return {
    async login(cloud, host, signal) {
      if (!clouds[cloud].owns(host))
        throw new Error(`${host} is no registry of ${cloud}; nothing was sent there`);
      const key = `${cloud} ${host}`;
      const kept = known.get(key);
      if (kept && kept.expiresAt - MARGIN_MS > now()) return kept;
      const fresh = await clouds[cloud].login(host, signal);
      known.set(key, fresh);
      return fresh;
    },
  };
}
