import type { RegistryCloud } from './registry-login.ts';

/** Access tokens are good for an hour, but that of a metadata service may be old already. In ms. */
const KEEP_MS = 15 * 60_000;

/**
 * Google Artifact Registry and Container Registry, by an access token.
 * @see https://cloud.google.com/artifact-registry/docs/docker/authentication#token
 */
export function createGcr(token: (signal: AbortSignal) => Promise<string>, now: () => number): RegistryCloud {
  return {
    owns: (host) => /^(?:(?:[a-z]+\.)?gcr\.io|[a-z0-9-]+-docker\.pkg\.dev)$/.test(host),
    login: async (_host, signal) => ({
      username: 'oauth2accesstoken',
      password: await token(signal),
      expiresAt: now() + KEEP_MS,
    }),
  };
}
