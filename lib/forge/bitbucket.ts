import * as z from 'zod';
import { type Api, createApi } from './api.ts';
import { bitbucketCredential } from './bitbucket-credential.ts';
import type { ForgeConfig, ForgeDependencies } from './config.ts';
import { ForgeError } from './errors.ts';
import type { CommitStatus, Forge } from './forge.ts';
import { commitPath, projectPath } from './path.ts';
import { plainText, safeUrl } from './plain-text.ts';
import { statusKey } from './status-key.ts';

const STATES: Readonly<Record<CommitStatus['state'], string>> = {
  pending: 'INPROGRESS',
  success: 'SUCCESSFUL',
  failure: 'FAILED',
  error: 'FAILED',
  superseded: 'STOPPED',
};

const MAX_TEXT = 255;

const Pulls = z
  .object({
    values: z.array(
      z.object({
        id: z.int(),
        title: z.string(),
        state: z.string().nullish(),
        links: z.object({ html: z.object({ href: z.string() }) }).nullish(),
        author: z.object({ nickname: z.string().nullish(), display_name: z.string().nullish() }).nullish(),
      }),
    ),
  })
  // Without content while Bitbucket is still indexing the repository.
  .nullable();

/** Bitbucket Cloud's API. */
export function bitbucketApi(config: ForgeConfig, dependencies: ForgeDependencies): Api {
  const { headers } = bitbucketCredential(config, dependencies);
  const isPublic = /^https?:\/\/(www\.)?bitbucket\.org$/i.test(config.url);
  const baseUrl = config.apiUrl ?? (isPublic ? 'https://api.bitbucket.org/2.0' : `${config.url}/2.0`);
  return createApi({ ...dependencies, baseUrl, headers });
}

/** Bitbucket Cloud. https://developer.atlassian.com/cloud/bitbucket/rest/api-group-commit-statuses */
export function bitbucket(config: ForgeConfig, dependencies: ForgeDependencies): Forge {
  const credential = bitbucketCredential(config, dependencies);
  const api = bitbucketApi(config, dependencies);

  return {
    async setCommitStatus({ project, commit, context, state, description, targetUrl }) {
      const path = `/repositories/${projectPath(project)}/commit/${commitPath(commit)}/statuses/build`;
      await api({
        method: 'POST',
        path,
        body: {
          key: statusKey(context),
          state: STATES[state],
          name: plainText(context, MAX_TEXT),
          description: plainText(description, MAX_TEXT),
          // Bitbucket wants a URL in any case.
          url: safeUrl(targetUrl) ?? `${config.url}/${projectPath(project)}/commits/${commitPath(commit)}`,
        },
        answer: z.object({ state: z.string() }),
      });
    },

    async pullRequestOf(project, commit) {
      const path = `/repositories/${projectPath(project)}/commit/${commitPath(commit)}/pullrequests`;
      try {
        const found = await api({ method: 'GET', path, answer: Pulls });
        const pull = found?.values.find(({ state }) => state === 'MERGED') ?? found?.values[0];
        if (!pull) return undefined;
        const author = pull.author?.nickname ?? pull.author?.display_name ?? '';
        return { number: String(pull.id), title: pull.title, author, url: pull.links?.html.href ?? '' };
      } catch (error) {
        // 404 as well where the workspace has not switched these links on.
        if (error instanceof ForgeError && error.kind === 'gone') return undefined;
        throw error;
      }
    },

    gitCredentials: credential.gitCredentials,
  };
}
