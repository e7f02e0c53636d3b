import * as z from 'zod';
import { bitbucketApi } from './bitbucket.ts';
import type { ForgeConfig, ForgeDependencies } from './config.ts';
import { commitPath, projectPath } from './path.ts';
import type { Branches, FoundPullRequest, PullRequests } from './pull-requests.ts';

const Pull = z.object({
  id: z.int(),
  title: z.string(),
  description: z.string().nullish(),
  links: z.object({ html: z.object({ href: z.string() }) }).nullish(),
  source: z.object({ commit: z.object({ hash: z.string() }).nullish() }).nullish(),
});
const Pulls = z.object({ values: z.array(Pull) });

/** Pull requests of Bitbucket Cloud. https://developer.atlassian.com/cloud/bitbucket/rest/api-group-pullrequests */
export function bitbucketPullRequests(config: ForgeConfig, dependencies: ForgeDependencies): PullRequests {
  const api = bitbucketApi(config, dependencies);
  const pathOf = (project: string) => `/repositories/${projectPath(project)}/pullrequests`;

  async function list(project: string, state: string, { head, base }: Branches) {
    const text = (value: string) => JSON.stringify(value);
    const q = `source.branch.name = ${text(head)} AND destination.branch.name = ${text(base)} AND state = ${text(state)}`;
    const query = new URLSearchParams({ q, sort: '-updated_on' });
    return (await api({ method: 'GET', path: `${pathOf(project)}?${query}`, answer: Pulls })).values;
  }

  return {
    async findOpen(project, branches) {
      const [pull] = await list(project, 'OPEN', branches);
      return pull && shown(pull);
    },
    async findDeclined(project, branches) {
      return (await list(project, 'DECLINED', branches)).map(shown);
    },
    async open(project, { head, base }, { title, body: description }) {
      const body = {
        title,
        description,
        source: { branch: { name: head } },
        destination: { branch: { name: base } },
        close_source_branch: true,
      };
      return shown(await api({ method: 'POST', path: pathOf(project), body, answer: Pull }));
    },
    async update(project, number, { title, body: description }) {
      const body = { title, description };
      await api({ method: 'PUT', path: `${pathOf(project)}/${number}`, body, answer: z.unknown() });
    },
    async close(project, number) {
      await api({ method: 'POST', path: `${pathOf(project)}/${number}/decline`, answer: z.unknown() });
    },
    async mergeWhenChecksPass(project, number, commit) {
      // Bitbucket Cloud has no call for this: we look, and merge once all builds have passed.
      const path = `${pathOf(project)}/${number}`;
      const pull = await api({ method: 'GET', path, answer: Pull });
      const hash = pull.source?.commit?.hash;
      if (!hash || !commitPath(commit).startsWith(hash)) return 'waiting';
      const { values } = await api({
        method: 'GET',
        path: `/repositories/${projectPath(project)}/commit/${commitPath(commit)}/statuses?pagelen=100`,
        answer: z.object({ values: z.array(z.object({ state: z.string() })) }),
      });
      if (values.length === 0 || values.some(({ state }) => state !== 'SUCCESSFUL')) return 'waiting';
      await api({
        method: 'POST',
        path: `${path}/merge`,
        body: { type: 'pullrequest' },
        answer: z.unknown(),
      });
      return 'merged';
    },
  };
}

function shown({ id, title, description, links }: z.infer<typeof Pull>): FoundPullRequest {
  return { number: String(id), url: links?.html.href ?? '', title, body: description ?? '' };
}
