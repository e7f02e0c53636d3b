import * as z from 'zod';
import type { ForgeConfig, ForgeDependencies } from './config.ts';
import { ForgeError } from './errors.ts';
import { giteaApi } from './gitea.ts';
import { projectPath } from './path.ts';
import type { Branches, FoundPullRequest, PullRequests } from './pull-requests.ts';

const Pull = z.object({
  number: z.int(),
  title: z.string(),
  body: z.string(),
  html_url: z.string(),
  merged: z.boolean().nullish(),
  head: z.object({ ref: z.string(), sha: z.string() }),
  base: z.object({ ref: z.string() }),
});

const PAGE = 50;
/** Open requests that are looked through; a repository with more has other worries. */
const MAX_PAGES = 20;

/** Pull requests of Gitea and Forgejo. https://docs.gitea.com/api */
export function giteaPullRequests(config: ForgeConfig, dependencies: ForgeDependencies): PullRequests {
  const api = giteaApi(config, dependencies);
  const pathOf = (project: string) => `/repos/${projectPath(project)}/pulls`;

  async function list(project: string, state: string, { head, base }: Branches, pages: number) {
    const found: z.infer<typeof Pull>[] = [];
    for (let page = 1; page <= pages; page += 1) {
      const path = `${pathOf(project)}?state=${state}&sort=recentupdate&limit=${PAGE}&page=${page}`;
      const pulls = await api({ method: 'GET', path, answer: z.array(Pull) });
      found.push(...pulls.filter((pull) => pull.head.ref === head && pull.base.ref === base));
      if (pulls.length < PAGE || (state === 'open' && found.length > 0)) break;
    }
    return found;
  }

  return {
    async findOpen(project, branches) {
      const [pull] = await list(project, 'open', branches, MAX_PAGES);
      return pull && shown(pull);
    },
    async findDeclined(project, branches) {
      return (await list(project, 'closed', branches, 1)).filter(({ merged }) => !merged).map(shown);
    },
    async open(project, { head, base }, text) {
      const body = { head, base, ...text };
      return shown(await api({ method: 'POST', path: pathOf(project), body, answer: Pull }));
    },
    async update(project, number, text) {
      await api({ method: 'PATCH', path: `${pathOf(project)}/${number}`, body: text, answer: z.unknown() });
    },
    async close(project, number) {
      const body = { state: 'closed' };
      await api({ method: 'PATCH', path: `${pathOf(project)}/${number}`, body, answer: z.unknown() });
    },
    async mergeWhenChecksPass(project, number, commit) {
      const statuses = `/repos/${projectPath(project)}/commits/${commit}/status`;
      const checks = await api({
        method: 'GET',
        path: statuses,
        answer: z.object({ total_count: z.int(), state: z.string() }),
      });
      // Its own "merge when checks succeed" looks at them only where a rule of the branch requires them, and else merges at once, whatever they say:
      // https://github.com/go-gitea/gitea/blob/v1.26.0/services/pull/commit_status.go#L69
      if (checks.total_count === 0 || checks.state !== 'success') return 'waiting';
      const body = { Do: 'merge', head_commit_id: commit };
      try {
        await api({ method: 'POST', path: `${pathOf(project)}/${number}/merge`, body, answer: z.unknown() });
      } catch (error) {
        // 409: its branch has moved on. 405: Gitea does not know yet whether it can be merged, or it may not be.
        if (error instanceof ForgeError && error.kind === 'rejected' && /: 40[59]/.test(error.message))
          return 'waiting';
        throw error;
      }
      return 'merged';
    },
  };
}

function shown({ number, html_url: url, title, body }: z.infer<typeof Pull>): FoundPullRequest {
  return { number: String(number), url, title, body };
}
