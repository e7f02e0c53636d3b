import { bearerToken, TokenError, unverifiedIssuer } from '../id-token.ts';
import { generic as registry } from '../registries/generic.ts';
import type { HookType } from './hook-type.ts';
import { readAnything } from './read-object.ts';

/**
 * Any caller with a token of one of the Receiver's issuers that fulfils the issuer's expressions, such as a workflow of GitHub Actions.
 * https://openid.net/specs/openid-connect-core-1_0.html#IDTokenValidation
 */
export const genericOidc: HookType = {
  async verify({ headers }, { oidcProviders, tokens, checkClaims }) {
    const token = bearerToken(headers);
    if (token === undefined) return { ok: false, why: 'the bearer token is missing' };
    const issuer = unverifiedIssuer(token);
    const provider = oidcProviders.find(({ issuerURL }) => issuerURL === issuer);
    if (!provider) return { ok: false, why: 'the token is of no issuer that is accepted here' };
    try {
      const claims = await tokens.verify(token, { issuer: provider.issuerURL, audience: provider.audience });
      const failures = await checkClaims(provider, claims);
      return failures.length === 0 ? { ok: true, claims } : { ok: false, why: failures.join('; ') };
    } catch (error) {
      if (error instanceof TokenError) return { ok: false, why: error.message };
      throw error;
    }
  },
  deliveryId: () => undefined,
  read: readAnything,
  pushed: (payload, host) => registry.parse(new Headers(), payload, host),
};
