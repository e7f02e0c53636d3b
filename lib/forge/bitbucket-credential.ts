import type { ForgeConfig, ForgeDependencies } from './config.ts';

/** The user under which Git takes an access token; the API knows no such user. */
const ACCESS_TOKEN = 'x-token-auth';

/**
 * How Bitbucket takes a token: with a user name as basic authentication (app passwords, API tokens), otherwise as a bearer token
 * (access tokens of a repository, project or workspace).
 */
export function bitbucketCredential(config: ForgeConfig, dependencies: ForgeDependencies) {
  const { token, username } = config;
  return {
    async headers(): Promise<Record<string, string>> {
      if (token === undefined) return {};
      const secret = await dependencies.secret(token);
      if (username === undefined || username === ACCESS_TOKEN) return { authorization: `Bearer ${secret}` };
      return { authorization: `Basic ${Buffer.from(`${username}:${secret}`).toString('base64')}` };
    },
    async gitCredentials() {
      if (token === undefined) return undefined;
      return { username: username ?? ACCESS_TOKEN, password: await dependencies.secret(token) };
    },
  };
}
