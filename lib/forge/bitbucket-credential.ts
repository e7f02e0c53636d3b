import type { ForgeConfig, ForgeDependencies } from './config.ts';

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
      if (username === undefined) return { authorization: `Bearer ${secret}` };
      return { authorization: `Basic ${Buffer.from(`${username}:${secret}`).toString('base64')}` };
    },
    async gitCredentials() {
      if (token === undefined) return undefined;
      return { username: username ?? 'x-token-auth', password: await dependencies.secret(token) };
    },
  };
}
