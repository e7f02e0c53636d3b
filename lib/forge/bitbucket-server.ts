import * as z from 'zod';
import { type Api, createApi } from './api.ts';
import { bitbucketCredential } from './bitbucket-credential.ts';
import type { ForgeConfig, ForgeDependencies } from './config.ts';
import { ForgeError } from './errors.ts';
import type { CommitStatus, Forge } from './forge.ts';
import { commitPath, projectParts } from './path.ts';
import { plainText, safeUrl } from './plain-text.ts';
import { statusKey } from './status-key.ts';

const STATES: Readonly<Record<CommitStatus['state'], string>> = {
  pending: 'INPROGRESS',
  success: 'SUCCESSFUL',
  failure: 'FAILED',
  error: 'FAILED',
  superseded: 'CANCELLED',
};

const MAX_TEXT = 255;

const Pulls = z.object({
  values: z.array(
    z.object({
      id: z.int(),
      title: z.string(),
      state: z.string().nullish(),
      links: z.object({ self: z.array(z.object({ href: z.string() })) }).nullish(),
      author: z.object({ user: z.object({ name: z.string() }) }).nullish(),
    }),
  ),
});

/** Bitbucket Data Center's API. @param api which of its APIs, such as `api/1.0` */
export function bitbucketServerApi(
  config: ForgeConfig,
  dependencies: ForgeDependencies,
  api = 'api/1.0',
): Api {
  const { headers } = bitbucketCredential(config, dependencies);
  const baseUrl = (config.apiUrl ?? `${config.url}/rest/api/1.0`).replace(/api\/1\.0$/, api);
  return createApi({ ...dependencies, baseUrl, headers });
}

/** Bitbucket Data Center (7.14 and later). https://developer.atlassian.com/server/bitbucket/rest */
export function bitbucketServer(config: ForgeConfig, dependencies: ForgeDependencies): Forge {
  const credential = bitbucketCredential(config, dependencies);
  const api = bitbucketServerApi(config, dependencies);

  return {
    async setCommitStatus({ project, commit, context, state, description, targetUrl }) {
      await api({
        method: 'POST',
        path: `${commitsPath(project, commit)}/builds`,
        body: {
          key: statusKey(context),
          state: STATES[state],
          name: plainText(context, MAX_TEXT),
          description: plainText(description, MAX_TEXT),
          // A URL is wanted in any case.
          url: safeUrl(targetUrl) ?? `${config.url}${pagePath(project)}/commits/${commitPath(commit)}`,
        },
        // Answers 204.
        answer: z.unknown(),
      });
    },

    async pullRequestOf(project, commit) {
      const path = `${commitsPath(project, commit)}/pull-requests`;
      try {
        const { values } = await api({ method: 'GET', path, answer: Pulls });
        const pull = values.find(({ state }) => state === 'MERGED') ?? values[0];
        if (!pull) return undefined;
        const author = pull.author?.user.name ?? '';
        return { number: String(pull.id), title: pull.title, author, url: pull.links?.self[0]?.href ?? '' };
      } catch (error) {
        if (error instanceof ForgeError && error.kind === 'gone') return undefined;
        throw error;
      }
    },

    gitCredentials: credential.gitCredentials,
  };
}

/** `PROJECT/slug` as the path of its pages and of its API. */
export function pagePath(project: string): string {
  const [key = '', slug = ''] = projectParts(project);
  return `/projects/${encodeURIComponent(key)}/repos/${encodeURIComponent(slug)}`;
}

function commitsPath(project: string, commit: string): string {
  return `${pagePath(project)}/commits/${commitPath(commit)}`;
}
