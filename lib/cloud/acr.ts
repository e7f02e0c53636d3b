import type { Http } from '../http.ts';
import { fieldOf, type RegistryCloud } from './registry-login.ts';

/** The user's name that goes with a refresh token. */
const NOBODY = '00000000-0000-0000-0000-000000000000';
/** Refresh tokens are good for three hours; they are replaced well before, in ms. */
const KEEP_MS = 60 * 60_000;

/**
 * Azure Container Registry: a token of Microsoft Entra ID is exchanged for one of the registry.
 * @param token makes that of Entra ID
 * @see https://learn.microsoft.com/azure/container-registry/container-registry-authentication#individual-login-with-microsoft-entra-id
 */
export function createAcr(
  http: Http,
  token: (signal: AbortSignal) => Promise<string>,
  now: () => number,
): RegistryCloud {
  return {
    owns: (host) => /^[a-z0-9-]+(?:\.[a-z0-9-]+)?\.azurecr\.(?:io|cn|us)$/.test(host),
    async login(host, signal) {
      const secret = await token(signal);
      const answer = await http.request({
        method: 'POST',
        url: `https://${host}/oauth2/exchange`,
        headers: { 'content-type': 'application/x-www-form-urlencoded' },
        body: new URLSearchParams({
          grant_type: 'access_token',
          service: host,
          access_token: secret,
        }).toString(),
        secrets: [secret],
        signal,
      });
      if (answer.status !== 200)
        throw new Error(
          `${host} answered ${answer.status}: the identity may not pull from it (role AcrPull)`,
        );
      return {
        username: NOBODY,
        password: fieldOf(answer.text(), 'refresh_token', host),
        expiresAt: now() + KEEP_MS,
      };
    },
  };
}
