import * as z from 'zod';
import { type Api, createApi } from './api.ts';
import type { ForgeConfig, ForgeDependencies } from './config.ts';
import { ForgeError } from './errors.ts';
import type { CommitStatus, Forge } from './forge.ts';
import { commitPath, projectParts } from './path.ts';
import { plainText, safeUrl } from './plain-text.ts';

const STATES: Readonly<Record<CommitStatus['state'], string>> = {
  pending: 'running',
  success: 'success',
  failure: 'failed',
  error: 'failed',
  superseded: 'canceled',
};

const MAX_TEXT = 255;

const MergeRequest = z.object({
  iid: z.int(),
  title: z.string(),
  web_url: z.string(),
  state: z.string(),
  author: z.object({ username: z.string() }).nullish(),
});

/** GitLab's API. */
export function gitlabApi({ url, apiUrl, token }: ForgeConfig, dependencies: ForgeDependencies): Api {
  return createApi({
    ...dependencies,
    baseUrl: apiUrl ?? `${url}/api/v4`,
    headers: async () => (token === undefined ? {} : { 'private-token': await dependencies.secret(token) }),
  });
}

/** A project as GitLab's paths name it. */
export function idOf(project: string): string {
  return encodeURIComponent(projectParts(project).join('/'));
}

/** GitLab. https://docs.gitlab.com/api/commits/#commit-status */
export function gitlab(config: ForgeConfig, dependencies: ForgeDependencies): Forge {
  const { token } = config;
  const api = gitlabApi(config, dependencies);

  return {
    async setCommitStatus({ project, commit, context, state, description, targetUrl }) {
      const url = safeUrl(targetUrl);
      const call = api({
        method: 'POST',
        path: `/projects/${idOf(project)}/statuses/${commitPath(commit)}`,
        body: {
          state: STATES[state],
          name: plainText(context, MAX_TEXT),
          description: plainText(description, MAX_TEXT),
          ...(url === undefined ? {} : { target_url: url }),
        },
        answer: z.object({ status: z.string() }),
      });
      await call.catch((error: unknown) => {
        // GitLab refuses to go from a state to the same one; what was wanted is so already.
        const repeated =
          error instanceof ForgeError &&
          error.kind === 'rejected' &&
          error.message.includes('Cannot transition status') &&
          error.message.includes(`from :${STATES[state]}`);
        if (!repeated) throw error;
      });
    },

    async pullRequestOf(project, commit) {
      const path = `/projects/${idOf(project)}/repository/commits/${commitPath(commit)}/merge_requests`;
      const requests = await api({ method: 'GET', path, answer: z.array(MergeRequest) });
      const request = requests.find(({ state }) => state === 'merged') ?? requests[0];
      if (!request) return undefined;
      const { iid, title, web_url: url, author } = request;
      return { number: String(iid), title, author: author?.username ?? '', url };
    },

    async gitCredentials() {
      if (token === undefined) return undefined;
      return { username: config.username ?? 'oauth2', password: await dependencies.secret(token) };
    },
  };
}
