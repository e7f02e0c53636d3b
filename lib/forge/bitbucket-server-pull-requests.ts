import * as z from 'zod';
import { bitbucketServerApi, pagePath } from './bitbucket-server.ts';
import type { ForgeConfig, ForgeDependencies } from './config.ts';
import { commitPath, projectParts } from './path.ts';
import type { Branches, FoundPullRequest, PullRequests } from './pull-requests.ts';

const Ref = z.object({ id: z.string(), latestCommit: z.string().nullish() });
const Pull = z.object({
  id: z.int(),
  version: z.int(),
  title: z.string(),
  description: z.string().nullish(),
  fromRef: Ref,
  toRef: Ref,
  links: z.object({ self: z.array(z.object({ href: z.string() })) }).nullish(),
  reviewers: z.array(z.object({ user: z.object({ name: z.string() }) })).nullish(),
});

/** Pull requests of Bitbucket Data Center. https://developer.atlassian.com/server/bitbucket/rest */
export function bitbucketServerPullRequests(
  config: ForgeConfig,
  dependencies: ForgeDependencies,
): PullRequests {
  const api = bitbucketServerApi(config, dependencies);
  const builds = bitbucketServerApi(config, dependencies, 'build-status/1.0');
  const pathOf = (project: string) => `${pagePath(project)}/pull-requests`;

  async function list(project: string, state: string, { head, base }: Branches) {
    const query = new URLSearchParams({
      state,
      at: `refs/heads/${head}`,
      direction: 'OUTGOING',
      order: 'NEWEST',
    });
    const answer = z.object({ values: z.array(Pull) });
    const { values } = await api({ method: 'GET', path: `${pathOf(project)}?${query}`, answer });
    return values.filter(({ toRef }) => toRef.id === `refs/heads/${base}`);
  }

  const read = (project: string, number: string) =>
    api({ method: 'GET', path: `${pathOf(project)}/${number}`, answer: Pull });

  return {
    async findOpen(project, branches) {
      const [pull] = await list(project, 'OPEN', branches);
      return pull && shown(pull);
    },
    async findDeclined(project, branches) {
      return (await list(project, 'DECLINED', branches)).map(shown);
    },
    async open(project, { head, base }, { title, body: description }) {
      const [key = '', slug = ''] = projectParts(project);
      const repository = { slug, project: { key } };
      const body = {
        title,
        description,
        fromRef: { id: `refs/heads/${head}`, repository },
        toRef: { id: `refs/heads/${base}`, repository },
      };
      return shown(await api({ method: 'POST', path: pathOf(project), body, answer: Pull }));
    },
    async update(project, number, { title, body: description }) {
      // Whoever is left out of `reviewers` would be removed.
      const { version, reviewers } = await read(project, number);
      const body = { version, title, description, reviewers: reviewers ?? [] };
      await api({ method: 'PUT', path: `${pathOf(project)}/${number}`, body, answer: z.unknown() });
    },
    async close(project, number) {
      const { version } = await read(project, number);
      const path = `${pathOf(project)}/${number}/decline?version=${version}`;
      await api({ method: 'POST', path, body: {}, answer: z.unknown() });
    },
    async mergeWhenChecksPass(project, number, commit) {
      const { version, fromRef } = await read(project, number);
      if (fromRef.latestCommit !== commitPath(commit)) return 'waiting';
      const stats = await builds({
        method: 'GET',
        path: `/commits/stats/${commitPath(commit)}`,
        answer: z.object({ successful: z.int(), inProgress: z.int(), failed: z.int() }),
      });
      if (stats.successful === 0 || stats.inProgress > 0 || stats.failed > 0) return 'waiting';
      const { canMerge } = await api({
        method: 'GET',
        path: `${pathOf(project)}/${number}/merge`,
        answer: z.object({ canMerge: z.boolean() }),
      });
      if (!canMerge) return 'waiting';
      const path = `${pathOf(project)}/${number}/merge?version=${version}`;
      await api({ method: 'POST', path, body: {}, answer: z.unknown() });
      return 'merged';
    },
  };
}

function shown({ id, title, description, links }: z.infer<typeof Pull>): FoundPullRequest {
  return { number: String(id), url: links?.self[0]?.href ?? '', title, body: description ?? '' };
}
