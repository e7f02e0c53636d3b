import * as z from 'zod';
import { type Api, createApi } from './api.ts';
import type { ForgeConfig, ForgeDependencies } from './config.ts';
import { ForgeError } from './errors.ts';
import type { CommitStatus, Forge } from './forge.ts';
import { commitPath, projectPath } from './path.ts';
import { plainText, safeUrl } from './plain-text.ts';

/** `warning` is the one final state that neither says "deployed" nor "failed". */
const STATES: Readonly<Record<CommitStatus['state'], string>> = {
  pending: 'pending',
  success: 'success',
  failure: 'failure',
  error: 'error',
  superseded: 'warning',
};

const MAX_DESCRIPTION = 255;

const Pull = z.object({
  number: z.int(),
  title: z.string(),
  html_url: z.string(),
  user: z.object({ login: z.string() }).nullish(),
});

/** Gitea's API. */
export function giteaApi({ url, apiUrl, token }: ForgeConfig, dependencies: ForgeDependencies): Api {
  return createApi({
    ...dependencies,
    baseUrl: apiUrl ?? `${url}/api/v1`,
    headers: async () =>
      token === undefined ? {} : { authorization: `token ${await dependencies.secret(token)}` },
  });
}

/** Gitea and Forgejo. https://docs.gitea.com/api */
export function gitea(config: ForgeConfig, dependencies: ForgeDependencies): Forge {
  const { token } = config;
  const api = giteaApi(config, dependencies);

  return {
    async setCommitStatus({ project, commit, context, state, description, targetUrl }) {
      const call = api({
        method: 'POST',
        path: `/repos/${projectPath(project)}/statuses/${commitPath(commit)}`,
        body: {
          state: STATES[state],
          context: plainText(context, MAX_DESCRIPTION),
          description: plainText(description, MAX_DESCRIPTION),
          target_url: safeUrl(targetUrl) ?? '',
        },
        answer: z.object({ status: z.string() }),
      });
      await call.catch((error: unknown) => {
        // Gitea answers 500 for a commit that it does not have.
        if (
          error instanceof ForgeError &&
          error.kind === 'transient' &&
          /object does not exist/.test(error.message)
        )
          throw new ForgeError('gone', error.message, { cause: error });
        throw error;
      });
    },

    async pullRequestOf(project, commit) {
      const path = `/repos/${projectPath(project)}/commits/${commitPath(commit)}/pull`;
      try {
        const { number, title, html_url: url, user } = await api({ method: 'GET', path, answer: Pull });
        return { number: String(number), title, author: user?.login ?? '', url };
      } catch (error) {
        if (error instanceof ForgeError && error.kind === 'gone') return undefined;
        throw error;
      }
    },

    async gitCredentials() {
      if (token === undefined) return undefined;
      // A token as the password is accepted with any user name.
      return { username: config.username ?? 'slipway', password: await dependencies.secret(token) };
    },
  };
}
