import * as z from 'zod';
import { type Api, createApi } from './api.ts';
import type { ForgeConfig, ForgeDependencies } from './config.ts';
import type { CommitStatus, Forge } from './forge.ts';
import { githubCredential } from './github-credential.ts';
import { commitPath, projectPath } from './path.ts';
import { plainText, safeUrl } from './plain-text.ts';

/** GitHub has no state for "overtaken"; `error` is its word for "no result". */
const STATES: Readonly<Record<CommitStatus['state'], string>> = {
  pending: 'pending',
  success: 'success',
  failure: 'failure',
  error: 'error',
  superseded: 'error',
};

/** https://docs.github.com/en/rest/commits/statuses */
const MAX_DESCRIPTION = 140;
const MAX_CONTEXT = 255;

const Pull = z.object({
  number: z.int(),
  title: z.string(),
  html_url: z.string(),
  merged_at: z.string().nullish(),
  user: z.object({ login: z.string() }).nullish(),
});

/** Where GitHub's REST API is. */
export function githubApiUrl(config: ForgeConfig): string {
  return config.apiUrl ?? (isPublic(config.url) ? 'https://api.github.com' : `${config.url}/api/v3`);
}

/** GitHub's API for a project, whose installation of an App it may need. @param baseUrl default: that of REST */
export function githubApi(
  config: ForgeConfig,
  dependencies: ForgeDependencies,
  baseUrl: string = githubApiUrl(config),
): (project: string) => Api {
  const credential = githubCredential(config, githubApiUrl(config), dependencies);
  return (project) =>
    createApi({
      ...dependencies,
      baseUrl,
      async headers() {
        const token = await credential(project);
        return {
          accept: 'application/vnd.github+json',
          'x-github-api-version': '2022-11-28',
          ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
        };
      },
    });
}

/** GitHub and GitHub Enterprise Server. */
export function github(config: ForgeConfig, dependencies: ForgeDependencies): Forge {
  const credential = githubCredential(config, githubApiUrl(config), dependencies);
  const api = githubApi(config, dependencies);

  return {
    async setCommitStatus({ project, commit, context, state, description, targetUrl }) {
      const url = safeUrl(targetUrl);
      await api(project)({
        method: 'POST',
        path: `/repos/${projectPath(project)}/statuses/${commitPath(commit)}`,
        body: {
          state: STATES[state],
          context: plainText(context, MAX_CONTEXT),
          description: plainText(description, MAX_DESCRIPTION),
          ...(url === undefined ? {} : { target_url: url }),
        },
        answer: z.object({ state: z.string() }),
      });
    },

    async pullRequestOf(project, commit) {
      const path = `/repos/${projectPath(project)}/commits/${commitPath(commit)}/pulls`;
      const pulls = await api(project)({ method: 'GET', path, answer: z.array(Pull) });
      const pull = pulls.find(({ merged_at }) => merged_at) ?? pulls[0];
      if (!pull) return undefined;
      const { number, title, html_url: url, user } = pull;
      return { number: String(number), title, author: user?.login ?? '', url };
    },

    async gitCredentials() {
      const password = await credential(undefined);
      return password === undefined ? undefined : { username: 'x-access-token', password };
    },
  };
}

function isPublic(url: string): boolean {
  return /^https?:\/\/(www\.)?github\.com$/i.test(url);
}
