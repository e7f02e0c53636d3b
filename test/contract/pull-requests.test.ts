import { describe } from 'vitest';
import { type PullRequests, pullRequestApis } from '../../lib/forge/pull-requests.ts';
import { createHttp } from '../../lib/http.ts';
import { createNetworkPolicy } from '../../lib/network.ts';
import { useGitea } from '../support/cluster.ts';
import { COMMIT, TOKEN } from '../support/fake-forges.ts';
import {
  type FakePullRequests,
  fakeBitbucketPulls,
  fakeBitbucketServerPulls,
  fakeGitHubPulls,
  fakeGitLabPulls,
} from '../support/fake-pull-requests.ts';
import { startForgeServer } from '../support/forge-server.ts';
import { type PullRequestsSubject, pullRequestsContract } from './pull-requests.ts';

const http = createHttp({
  policy: createNetworkPolicy({ allow: ['127.0.0.1'] }),
  timeoutMs: 10_000,
  maxBytes: 1_000_000,
  userAgent: 'slipway/test',
});

function apiOf(type: string, url: string, token: string): PullRequests {
  const make = pullRequestApis[type];
  if (!make) throw new Error(`there is no provider ${type}`);
  return make({ type, url, token: 'env:TOKEN' }, { http, secret: async () => token, now: () => Date.now() });
}

async function startFake(type: string, fake: FakePullRequests): Promise<PullRequestsSubject> {
  const server = await startForgeServer((request) => fake.answer(request));
  return {
    api: apiOf(type, server.url, TOKEN),
    unauthorized: apiOf(type, server.url, 'wrong-token-1234'),
    project: fake.project,
    async head() {
      // Each test has a commit of the same name; its checks begin anew.
      fake.checks = 'none';
      return COMMIT;
    },
    async shown(number) {
      const found = fake.pulls.find((one) => String(one.number) === number);
      if (!found) throw new Error(`there is no pull request ${number}`);
      const { title, body, head, base, state } = found;
      return { title, body, head, base, state };
    },
    async check(_commit, state) {
      fake.checks = state;
    },
    stop: server.stop,
  };
}

async function startGitea(): Promise<PullRequestsSubject> {
  const gitea = await useGitea();
  const repository = await gitea.createRepository(`pulls-${crypto.randomUUID().slice(0, 8)}`, {
    files: { 'a.yaml': 'a: 1' },
  });
  for (let branch = 1; branch <= 5; branch += 1)
    await repository.commit({ [`${branch}.yaml`]: 'b: 1' }, { branch: `auto-${branch}` });
  const states = { pending: 'pending', passed: 'success', failed: 'failure' };
  return {
    api: apiOf('gitea', gitea.url, gitea.admin.token),
    unauthorized: apiOf('gitea', gitea.url, 'wrong-token-1234'),
    project: `${repository.owner}/${repository.name}`,
    head: (branch) => repository.head(branch),
    async shown(number) {
      const found = (await repository.pullRequests()).find((one) => String(one.number) === number);
      if (!found) throw new Error(`there is no pull request ${number}`);
      const { title, body, head, base, merged, state } = found;
      return {
        title,
        body,
        head: head.ref,
        base: base.ref,
        state: merged ? 'merged' : state === 'open' ? 'open' : 'closed',
      };
    },
    check: (commit, state) => repository.setStatus(commit, states[state]),
    stop: () => repository.delete(),
  };
}

describe('providers as documented', () => {
  pullRequestsContract('github', 'scheduled', () => startFake('github', fakeGitHubPulls()));
  pullRequestsContract('gitlab', 'scheduled', () => startFake('gitlab', fakeGitLabPulls()));
  pullRequestsContract('bitbucket', 'waiting', () => startFake('bitbucket', fakeBitbucketPulls()));
  pullRequestsContract('bitbucket-server', 'waiting', () =>
    startFake('bitbucket-server', fakeBitbucketServerPulls()),
  );
});

describe('a real Gitea', () => {
  pullRequestsContract('gitea', 'waiting', startGitea);
});
