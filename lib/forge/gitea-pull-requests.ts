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
      const { total_count: checks } = await api({
        method: 'GET',
        path: statuses,
        answer: z.object({ total_count: z.int() }),
      });
      // Without a single check Gitea would merge at once.
      if (checks === 0) return 'waiting';
      try {
        await api({
          method: 'POST',
          path: `${pathOf(project)}/${number}/merge`,
          body: { Do: 'merge', merge_when_checks_succeed: true, head_commit_id: commit },
          answer: z.unknown(),
        });
      } catch (error) {
        if (!(error instanceof ForgeError) || error.kind !== 'rejected') throw error;
        // 409: it is scheduled already. 405: Gitea does not know yet whether it can be merged.
        if (/: 409/.test(error.message)) return 'scheduled';
        if (/: 405/.test(error.message)) return 'waiting';
        throw error;
      }
      const pull = await api({ method: 'GET', path: `${pathOf(project)}/${number}`, answer: Pull });
      return pull.merged ? 'merged' : 'scheduled';
    },
  };
}

function shown({ number, html_url: url, title, body }: z.infer<typeof Pull>): FoundPullRequest {
  return { number: String(number), url, title, body };
}
