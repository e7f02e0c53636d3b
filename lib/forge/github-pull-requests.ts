import * as z from 'zod';
import type { ForgeConfig, ForgeDependencies } from './config.ts';
import { ForgeError } from './errors.ts';
import { githubApi, githubApiUrl } from './github.ts';
import { commitPath, projectParts, projectPath } from './path.ts';
import type { Branches, FoundPullRequest, MergeState, PullRequests } from './pull-requests.ts';

const Pull = z.object({
  number: z.int(),
  node_id: z.string(),
  title: z.string(),
  body: z.string().nullable(),
  html_url: z.string(),
  merged_at: z.string().nullish(),
  auto_merge: z.unknown(),
});

const Repository = z.object({
  allow_auto_merge: z.boolean().nullish(),
  allow_merge_commit: z.boolean().nullish(),
  allow_squash_merge: z.boolean().nullish(),
});

const GraphQl = z.object({ errors: z.array(z.object({ message: z.string() })).nullish() });

const ENABLE = `mutation($id: ID!, $method: PullRequestMergeMethod!, $head: GitObjectID!) {
  enablePullRequestAutoMerge(input: {pullRequestId: $id, mergeMethod: $method, expectedHeadOid: $head}) { clientMutationId }
}`;

/** Pull requests of GitHub and GitHub Enterprise Server. https://docs.github.com/en/rest/pulls/pulls */
export function githubPullRequests(config: ForgeConfig, dependencies: ForgeDependencies): PullRequests {
  const api = githubApi(config, dependencies);
  // https://docs.github.com/en/graphql/guides/forming-calls-with-graphql
  const graphQl = githubApi(config, dependencies, githubApiUrl(config).replace(/\/api\/v3$/, '/api'));
  const pathOf = (project: string) => `/repos/${projectPath(project)}/pulls`;

  async function list(project: string, state: string, { head, base }: Branches) {
    const [owner = ''] = projectParts(project);
    const query = new URLSearchParams({
      state,
      head: `${owner}:${head}`,
      base,
      sort: 'updated',
      direction: 'desc',
    });
    return api(project)({ method: 'GET', path: `${pathOf(project)}?${query}`, answer: z.array(Pull) });
  }

  /** All checks of either kind have passed, and there is at least one. */
  async function hasPassed(project: string, commit: string): Promise<boolean> {
    const base = `/repos/${projectPath(project)}/commits/${commitPath(commit)}`;
    const runs = await api(project)({
      method: 'GET',
      path: `${base}/check-runs?per_page=100`,
      answer: z.object({
        total_count: z.int(),
        check_runs: z.array(z.object({ conclusion: z.string().nullable() })),
      }),
    });
    const statuses = await api(project)({
      method: 'GET',
      path: `${base}/status`,
      answer: z.object({ total_count: z.int(), state: z.string() }),
    });
    const good = new Set(['success', 'neutral', 'skipped']);
    const runsPassed =
      runs.total_count === runs.check_runs.length &&
      runs.check_runs.every(({ conclusion }) => conclusion !== null && good.has(conclusion));
    const statusesPassed = statuses.total_count === 0 || statuses.state === 'success';
    return runs.total_count + statuses.total_count > 0 && runsPassed && statusesPassed;
  }

  return {
    async findOpen(project, branches) {
      const [pull] = await list(project, 'open', branches);
      return pull && shown(pull);
    },
    async findDeclined(project, branches) {
      return (await list(project, 'closed', branches)).filter(({ merged_at: at }) => !at).map(shown);
    },
    async open(project, branches, text) {
      const body = { ...branches, ...text };
      return shown(await api(project)({ method: 'POST', path: pathOf(project), body, answer: Pull }));
    },
    async update(project, number, text) {
      const path = `${pathOf(project)}/${number}`;
      await api(project)({ method: 'PATCH', path, body: text, answer: z.unknown() });
    },
    async close(project, number) {
      const path = `${pathOf(project)}/${number}`;
      await api(project)({ method: 'PATCH', path, body: { state: 'closed' }, answer: z.unknown() });
    },
    async mergeWhenChecksPass(project, number, commit): Promise<MergeState> {
      const path = `${pathOf(project)}/${number}`;
      const repository = await api(project)({
        method: 'GET',
        path: `/repos/${projectPath(project)}`,
        answer: Repository,
      });
      const pull = await api(project)({ method: 'GET', path, answer: Pull });
      if (pull.auto_merge) return 'scheduled';
      const method =
        repository.allow_merge_commit !== false
          ? 'MERGE'
          : repository.allow_squash_merge
            ? 'SQUASH'
            : 'REBASE';
      if (repository.allow_auto_merge) {
        const { errors } = await graphQl(project)({
          method: 'POST',
          path: '/graphql',
          body: { query: ENABLE, variables: { id: pull.node_id, method, head: commitPath(commit) } },
          answer: GraphQl,
        });
        const [error] = errors ?? [];
        if (!error) return 'scheduled';
        // With nothing required left to wait for, GitHub leaves the merge to us.
        if (!/clean status|unstable status/i.test(error.message))
          throw new ForgeError(
            'rejected',
            `auto-merge of pull request ${number} of ${project}: ${error.message}`,
          );
      }
      if (!(await hasPassed(project, commit))) return 'waiting';
      const body = { sha: commitPath(commit), merge_method: method.toLowerCase() };
      await api(project)({ method: 'PUT', path: `${path}/merge`, body, answer: z.unknown() });
      return 'merged';
    },
  };
}

function shown({ number, html_url: url, title, body }: z.infer<typeof Pull>): FoundPullRequest {
  return { number: String(number), url, title, body: body ?? '' };
}
