import * as z from 'zod';
import type { ForgeConfig, ForgeDependencies } from './config.ts';
import { ForgeError } from './errors.ts';
import { gitlabApi, idOf } from './gitlab.ts';
import { commitPath } from './path.ts';
import type { Branches, FoundPullRequest, PullRequests } from './pull-requests.ts';

const Request = z.object({
  iid: z.int(),
  title: z.string(),
  description: z.string().nullable(),
  web_url: z.string(),
  state: z.string(),
});
const Merged = z.object({ state: z.string() });

/** https://docs.gitlab.com/api/pipelines/ */
const ENDED_BADLY: ReadonlySet<string> = new Set(['failed', 'canceled', 'canceling', 'skipped', 'manual']);

/** Merge requests of GitLab. https://docs.gitlab.com/api/merge_requests/ */
export function gitlabPullRequests(config: ForgeConfig, dependencies: ForgeDependencies): PullRequests {
  const api = gitlabApi(config, dependencies);
  const pathOf = (project: string) => `/projects/${idOf(project)}/merge_requests`;

  async function list(project: string, state: string, { head, base }: Branches) {
    const query = new URLSearchParams({
      state,
      source_branch: head,
      target_branch: base,
      order_by: 'updated_at',
    });
    return api({ method: 'GET', path: `${pathOf(project)}?${query}`, answer: z.array(Request) });
  }

  async function change(project: string, number: string, body: Record<string, unknown>): Promise<void> {
    await api({ method: 'PUT', path: `${pathOf(project)}/${number}`, body, answer: z.unknown() });
  }

  return {
    async findOpen(project, branches) {
      const [request] = await list(project, 'opened', branches);
      return request && shown(request);
    },
    async findDeclined(project, branches) {
      return (await list(project, 'closed', branches)).map(shown);
    },
    async open(project, { head, base }, { title, body: description }) {
      const body = {
        source_branch: head,
        target_branch: base,
        title,
        description,
        remove_source_branch: true,
      };
      return shown(await api({ method: 'POST', path: pathOf(project), body, answer: Request }));
    },
    update: (project, number, { title, body: description }) =>
      change(project, number, { title, description }),
    close: (project, number) => change(project, number, { state_event: 'close' }),
    async mergeWhenChecksPass(project, number, commit) {
      const pipelines = await api({
        method: 'GET',
        path: `${pathOf(project)}/${number}/pipelines`,
        answer: z.array(z.object({ sha: z.string(), status: z.string() })),
      });
      // The newest comes first. GitLab waits for one that runs, and merges at once without one or when it has failed.
      const status = pipelines.find(({ sha }) => sha === commit)?.status;
      if (status === undefined || ENDED_BADLY.has(status)) return 'waiting';
      try {
        const body = { auto_merge: true, merge_when_pipeline_succeeds: true, sha: commitPath(commit) };
        const path = `${pathOf(project)}/${number}/merge`;
        const { state } = await api({ method: 'PUT', path, body, answer: Merged });
        return state === 'merged' ? 'merged' : 'scheduled';
      } catch (error) {
        // 405 while GitLab does not know yet whether it can be merged, 409 when its branch has moved.
        if (error instanceof ForgeError && /: (405|406|409|422)/.test(error.message)) return 'waiting';
        throw error;
      }
    },
  };
}

function shown({ iid, web_url: url, title, description }: z.infer<typeof Request>): FoundPullRequest {
  return { number: String(iid), url, title, body: description ?? '' };
}
