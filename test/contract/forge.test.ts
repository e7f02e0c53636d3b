import { describe } from 'vitest';
import { createForge } from '../../lib/forge/registry.ts';
import { createHttp } from '../../lib/http.ts';
import { createNetworkPolicy } from '../../lib/network.ts';
import { useGitea } from '../support/cluster.ts';
import {
  COMMIT,
  type FakeForge,
  fakeBitbucket,
  fakeBitbucketServer,
  fakeGitea,
  fakeGitHub,
  fakeGitLab,
  MERGED,
  TOKEN,
} from '../support/fake-forges.ts';
import { startForgeServer } from '../support/forge-server.ts';
import { type ForgeSubject, type ForgeTraits, forgeContract } from './forge.ts';

const http = createHttp({
  policy: createNetworkPolicy({ allow: ['127.0.0.1'] }),
  timeoutMs: 10_000,
  maxBytes: 1_000_000,
  userAgent: 'slipway/test',
});

function forgeOf(type: string, url: string, token: string) {
  return createForge(
    { type, url, token: 'env:TOKEN' },
    { http, secret: async () => token, now: () => Date.now() },
  );
}

const traits: Record<string, ForgeTraits> = {
  github: {
    states: {
      pending: 'pending',
      success: 'success',
      failure: 'failure',
      error: 'error',
      superseded: 'error',
    },
    maxDescription: 140,
    alwaysLinks: false,
  },
  gitea: {
    states: {
      pending: 'pending',
      success: 'success',
      failure: 'failure',
      error: 'error',
      superseded: 'warning',
    },
    maxDescription: 255,
    alwaysLinks: false,
  },
  gitlab: {
    states: {
      pending: 'running',
      success: 'success',
      failure: 'failed',
      error: 'failed',
      superseded: 'canceled',
    },
    maxDescription: 255,
    alwaysLinks: false,
  },
  bitbucket: {
    states: {
      pending: 'INPROGRESS',
      success: 'SUCCESSFUL',
      failure: 'FAILED',
      error: 'FAILED',
      superseded: 'STOPPED',
    },
    maxDescription: 255,
    alwaysLinks: true,
  },
  'bitbucket-server': {
    states: {
      pending: 'INPROGRESS',
      success: 'SUCCESSFUL',
      failure: 'FAILED',
      error: 'FAILED',
      superseded: 'CANCELLED',
    },
    maxDescription: 255,
    alwaysLinks: true,
  },
};

async function startFake(type: string, fake: FakeForge): Promise<ForgeSubject> {
  const server = await startForgeServer((request) => fake.answer(request));
  return {
    forge: forgeOf(type, server.url, TOKEN),
    unauthorized: forgeOf(type, server.url, 'wrong-token-1234'),
    project: fake.project,
    commit: COMMIT,
    merged: { commit: MERGED, number: '12', title: 'Add podinfo', author: 'ada' },
    statuses: async (commit) => fake.statuses(commit),
    password: TOKEN,
    stop: server.stop,
  };
}

async function startGitea(): Promise<ForgeSubject> {
  const gitea = await useGitea();
  const name = `forge-${crypto.randomUUID().slice(0, 8)}`;
  const repository = await gitea.createRepository(name, { files: { 'a.yaml': 'a: 1' } });
  const commit = await repository.head();
  const number = await repository.openPullRequest('change', { 'a.yaml': 'a: 2' }, 'Add podinfo');
  const mergedCommit = await repository.merge(number);
  return {
    forge: forgeOf('gitea', gitea.url, gitea.admin.token),
    unauthorized: forgeOf('gitea', gitea.url, 'wrong-token-1234'),
    project: `${repository.owner}/${name}`,
    commit,
    merged: { commit: mergedCommit, number: String(number), title: 'Add podinfo', author: gitea.admin.user },
    async statuses(of) {
      return (await repository.statuses(of)).map(({ context, status, description, targetUrl }) => ({
        context,
        state: status,
        description,
        targetUrl: targetUrl === '' ? undefined : targetUrl,
      }));
    },
    password: gitea.admin.token,
    stop: () => repository.delete(),
  };
}

function traitsOf(type: string): ForgeTraits {
  const found = traits[type];
  if (!found) throw new Error(`no traits of ${type}`);
  return found;
}

describe('Git providers as documented', () => {
  forgeContract('github', traitsOf('github'), () => startFake('github', fakeGitHub()));
  forgeContract('gitea', traitsOf('gitea'), () => startFake('gitea', fakeGitea()));
  forgeContract('gitlab', traitsOf('gitlab'), () => startFake('gitlab', fakeGitLab()));
  forgeContract('bitbucket', traitsOf('bitbucket'), () => startFake('bitbucket', fakeBitbucket()));
  forgeContract('bitbucket-server', traitsOf('bitbucket-server'), () =>
    startFake('bitbucket-server', fakeBitbucketServer()),
  );
});

describe('a real Gitea', () => {
  forgeContract('gitea', traitsOf('gitea'), startGitea);
});
