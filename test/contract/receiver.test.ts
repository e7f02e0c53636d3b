import { createHmac } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import examples from '@octokit/webhooks-examples' with { type: 'json' };
import type { Push } from '../../lib/receive/receiver.ts';
import { receivers } from '../../lib/receive/registry.ts';
import { receiverContract } from './receiver.ts';

const A = 'a'.repeat(40);
const B = 'b'.repeat(40);
const C = 'c'.repeat(40);
const ZERO = '0'.repeat(40);

function fixture(path: string): Record<string, unknown> {
  const file = join(import.meta.dirname, '../fixtures/webhooks', `${path}.json`);
  return JSON.parse(readFileSync(file, 'utf8')) as Record<string, unknown>;
}

/** A payload with some members replaced. */
function changed(path: string, changes: Record<string, unknown>): Record<string, unknown> {
  return { ...fixture(path), ...changes };
}

const hmac = (body: string, secret: string) => createHmac('sha256', secret).update(body).digest('hex');

const octokit = (examples as unknown as { name: string; examples: Record<string, unknown>[] }[]).find(
  ({ name }) => name === 'push',
);
const created =
  octokit?.examples.find(({ created: isNew, ref }) => isNew && ref === 'refs/heads/master') ?? {};
const tagDeleted = octokit?.examples.find(({ deleted }) => deleted) ?? {};
const opened =
  (examples as unknown as { name: string; examples: Record<string, unknown>[] }[])
    .find(({ name }) => name === 'pull_request')
    ?.examples.find(({ action }) => action === 'opened') ?? {};

const hub: Omit<Push, 'ref' | 'commit' | 'created' | 'deleted'> = {
  repositories: ['github.com/codertocat/hello-world'],
  project: 'Codertocat/Hello-World',
  pusher: 'Codertocat',
};

receiverContract('github', {
  receiver: receivers.github,
  headers: (event, id, body, secret) => ({
    'content-type': 'application/json',
    'x-github-event': event,
    'x-github-delivery': id,
    'x-hub-signature-256': `sha256=${hmac(body, secret)}`,
  }),
  signatureHeader: 'x-hub-signature-256',
  signsBody: true,
  examples: [
    {
      name: 'a push that makes a branch',
      event: 'push',
      payload: created,
      expected: {
        kind: 'push',
        pushes: [
          {
            ...hub,
            ref: 'refs/heads/master',
            commit: String(created.after),
            created: true,
            deleted: false,
            ...personsOf(created),
          },
        ],
      },
    },
    {
      name: 'a deleted tag',
      event: 'push',
      payload: tagDeleted,
      expected: {
        kind: 'push',
        pushes: [{ ...hub, ref: 'refs/tags/simple-tag', commit: '', created: false, deleted: true }],
      },
    },
    {
      name: 'an annotated tag as the commit it points at',
      event: 'push',
      payload: { ...created, ref: 'refs/tags/v1', after: A, head_commit: { id: B, message: 'x' } },
      expected: {
        kind: 'push',
        pushes: [{ ...hub, ref: 'refs/tags/v1', commit: B, created: true, deleted: false }],
      },
    },
    {
      name: 'a squashed pull request',
      event: 'push',
      payload: {
        ...created,
        created: false,
        forced: true,
        after: A,
        head_commit: { id: A, message: 'Title (#7)\n\nx' },
      },
      expected: {
        kind: 'push',
        pushes: [
          { ...hub, ref: 'refs/heads/master', commit: A, created: false, deleted: false, pullRequest: '7' },
        ],
      },
    },
    { name: 'a ping', event: 'ping', payload: { zen: 'x', hook_id: 1 }, expected: { kind: 'ping' } },
    {
      name: 'a pull request',
      event: 'pull_request',
      payload: opened,
      expected: {
        kind: 'pull-request',
        pullRequest: {
          action: 'opened',
          number: '2',
          title: 'Update the README with new information.',
          author: 'Codertocat',
          url: 'https://github.com/Codertocat/Hello-World/pull/2',
          repositories: ['github.com/codertocat/hello-world'],
          project: 'Codertocat/Hello-World',
          base: { ref: 'refs/heads/master', commit: 'f95f852bd8fca8fcc58a9a2d6c842781e32a215e' },
          head: {
            ref: 'refs/heads/changes',
            commit: 'ec26c3e57ca3a959ca5aad62de7213c562f8c821',
            project: 'Codertocat/Hello-World',
          },
        },
      },
    },
  ],
  malformed: [
    { name: 'null', event: 'push', payload: null },
    { name: 'a list', event: 'push', payload: [] },
    { name: 'a push without repository', event: 'push', payload: { ...created, repository: null } },
    {
      name: 'a push of a repository without URL',
      event: 'push',
      payload: { ...created, repository: { full_name: 'acme/x' } },
    },
    {
      name: 'a push of a repository at a file',
      event: 'push',
      payload: { ...created, repository: { full_name: 'acme/x', clone_url: 'file:///etc/passwd' } },
    },
    { name: 'a push with an odd hash', event: 'push', payload: { ...created, after: '$(evil)' } },
    { name: 'a push without ref', event: 'push', payload: { ...created, ref: undefined } },
    {
      name: 'a push with an endless ref',
      event: 'push',
      payload: { ...created, ref: `refs/heads/${'x'.repeat(5_000)}` },
    },
    { name: 'a pull request without ends', event: 'pull_request', payload: { ...opened, pull_request: {} } },
  ],
});

const tea: Omit<Push, 'ref' | 'commit' | 'created' | 'deleted'> = {
  repositories: ['git.example.org/admin-user/fleet'],
  project: 'admin-user/fleet',
  pusher: 'admin-user',
};

function teaPush(path: string) {
  const payload = fixture(`gitea/${path}`);
  return { event: 'push', payload, commit: String(payload.after), persons: personsOf(payload) };
}

for (const prefix of ['x-gitea', 'x-forgejo', 'x-gogs']) {
  const { payload, commit, persons } = teaPush('push');
  receiverContract(`gitea (${prefix})`, {
    receiver: receivers.gitea,
    headers: (event, id, body, secret) => ({
      'content-type': 'application/json',
      [`${prefix}-event`]: event,
      [`${prefix}-delivery`]: id,
      [`${prefix}-signature`]: hmac(body, secret),
    }),
    signatureHeader: `${prefix}-signature`,
    signsBody: true,
    examples: [
      {
        name: 'a push',
        event: 'push',
        payload,
        expected: {
          kind: 'push',
          pushes: [{ ...tea, ref: 'refs/heads/main', commit, created: false, deleted: false, ...persons }],
        },
      },
      {
        name: 'the first push',
        event: 'push',
        payload: teaPush('push-first').payload,
        expected: {
          kind: 'push',
          pushes: [
            {
              ...tea,
              ref: 'refs/heads/main',
              commit: teaPush('push-first').commit,
              created: true,
              deleted: false,
              ...teaPush('push-first').persons,
            },
          ],
        },
      },
      {
        name: 'a merged pull request',
        event: 'push',
        payload: teaPush('push-merged').payload,
        expected: {
          kind: 'push',
          pushes: [
            {
              ...tea,
              ref: 'refs/heads/main',
              commit: teaPush('push-merged').commit,
              created: false,
              deleted: false,
              ...teaPush('push-merged').persons,
              pullRequest: '1',
            },
          ],
        },
      },
      {
        name: 'a push without head commit',
        event: 'push',
        payload: { ...payload, head_commit: null, commits: null },
        expected: {
          kind: 'push',
          pushes: [{ ...tea, ref: 'refs/heads/main', commit, created: false, deleted: false }],
        },
      },
      {
        name: 'a deleted tag',
        event: 'push',
        payload: fixture('gitea/push-tag-deleted'),
        expected: {
          kind: 'push',
          pushes: [{ ...tea, ref: 'refs/tags/v1', commit: '', created: false, deleted: true }],
        },
      },
      {
        name: 'a deleted branch',
        event: 'delete',
        payload: fixture('gitea/delete-branch'),
        expected: {
          kind: 'push',
          pushes: [{ ...tea, ref: 'refs/heads/change', commit: '', created: false, deleted: true }],
        },
      },
      {
        name: 'the second telling of a deleted tag',
        event: 'delete',
        payload: fixture('gitea/delete-tag'),
        expected: { kind: 'ignored', why: 'no branch was deleted' },
      },
      {
        name: 'the second telling of a new branch',
        event: 'create',
        payload: fixture('gitea/create-branch'),
        expected: { kind: 'ignored', why: 'this event deploys nothing' },
      },
    ],
    malformed: [
      {
        name: 'a push without repository',
        event: 'push',
        payload: changed('gitea/push', { repository: null }),
      },
      {
        name: 'a commit that is none',
        event: 'push',
        payload: changed('gitea/push', { head_commit: 'boom' }),
      },
      { name: 'commits that are none', event: 'push', payload: changed('gitea/push', { commits: ['boom'] }) },
      { name: 'a deletion without repository', event: 'delete', payload: { ref: 'x', ref_type: 'branch' } },
    ],
  });
}

const lab: Omit<Push, 'ref' | 'commit' | 'created' | 'deleted'> = {
  repositories: ['gitlab.example.org/platform/team/fleet'],
  project: 'platform/team/fleet',
  pusher: 'ada',
};

receiverContract('gitlab', {
  receiver: receivers.gitlab,
  headers: (event, id, _body, secret) => ({
    'content-type': 'application/json',
    'x-gitlab-event': event,
    'idempotency-key': id,
    'x-gitlab-token': secret,
  }),
  signatureHeader: 'x-gitlab-token',
  signsBody: false,
  examples: [
    {
      name: 'the push of a merge',
      event: 'Push Hook',
      payload: fixture('gitlab/push'),
      expected: {
        kind: 'push',
        pushes: [
          {
            ...lab,
            ref: 'refs/heads/main',
            commit: A,
            created: false,
            deleted: false,
            author: 'Ada Lovelace <ada@example.org>',
            commitUrl: `https://gitlab.example.org/platform/team/fleet/-/commit/${A}`,
            pullRequest: '12',
          },
        ],
      },
    },
    {
      name: 'a push without commits',
      event: 'Push Hook',
      payload: fixture('gitlab/push-without-commits'),
      expected: {
        kind: 'push',
        pushes: [{ ...lab, ref: 'refs/heads/main', commit: A, created: false, deleted: false }],
      },
    },
    {
      name: 'a push told by a system hook',
      event: 'System Hook',
      payload: { ...fixture('gitlab/system-push'), commits: [] },
      expected: {
        kind: 'push',
        pushes: [{ ...lab, ref: 'refs/heads/main', commit: A, created: false, deleted: false }],
      },
    },
    {
      name: 'a deleted branch',
      event: 'Push Hook',
      payload: fixture('gitlab/push-deleted'),
      expected: {
        kind: 'push',
        pushes: [{ ...lab, ref: 'refs/heads/main', commit: '', created: false, deleted: true }],
      },
    },
    {
      name: 'an annotated tag as the commit it points at',
      event: 'Tag Push Hook',
      payload: fixture('gitlab/tag-push'),
      expected: {
        kind: 'push',
        pushes: [{ ...lab, ref: 'refs/tags/v1.0.0', commit: A, created: true, deleted: false }],
      },
    },
    {
      name: 'a merge request from a fork',
      event: 'Merge Request Hook',
      payload: fixture('gitlab/merge-request'),
      expected: {
        kind: 'pull-request',
        pullRequest: {
          action: 'opened',
          number: '12',
          title: 'Change podinfo',
          author: 'ada',
          url: 'https://gitlab.example.org/platform/team/fleet/-/merge_requests/12',
          repositories: ['gitlab.example.org/platform/team/fleet'],
          project: 'platform/team/fleet',
          base: { ref: 'refs/heads/main', commit: '' },
          head: { ref: 'refs/heads/podinfo', commit: A, project: 'ada/fleet' },
        },
      },
    },
    {
      name: 'a pipeline',
      event: 'Pipeline Hook',
      payload: fixture('gitlab/pipeline'),
      expected: { kind: 'ignored', why: 'this event deploys nothing' },
    },
  ],
  malformed: [
    { name: 'null', event: 'Push Hook', payload: null },
    { name: 'text', event: 'Push Hook', payload: 'boom' },
    {
      name: 'a push without project',
      event: 'Push Hook',
      payload: changed('gitlab/push', { project: undefined }),
    },
    {
      name: 'a push with an odd hash',
      event: 'Push Hook',
      payload: changed('gitlab/push', { after: 'boom' }),
    },
    {
      name: 'a merge request without commit',
      event: 'Merge Request Hook',
      payload: changed('gitlab/merge-request', { object_attributes: { iid: 1 } }),
    },
  ],
});

const cloud = {
  repositories: ['bitbucket.org/acme/fleet'],
  project: 'acme/fleet',
  pusher: 'ada',
  author: 'Ada Lovelace <ada@example.org>',
};

function bucketHeaders(event: string, id: string, body: string, secret: string): Record<string, string> {
  return {
    'content-type': 'application/json; charset=utf-8',
    'x-event-key': event,
    'x-request-uuid': id,
    'x-hub-signature': `sha256=${hmac(body, secret)}`,
  };
}

const { author: _author, ...cloudWithoutAuthor } = cloud;

receiverContract('bitbucket (Cloud)', {
  receiver: receivers.bitbucket,
  headers: bucketHeaders,
  signatureHeader: 'x-hub-signature',
  signsBody: true,
  examples: [
    {
      name: 'the push of a merge',
      event: 'repo:push',
      payload: fixture('bitbucket/push'),
      expected: {
        kind: 'push',
        pushes: [
          {
            ...cloud,
            ref: 'refs/heads/main',
            commit: A,
            created: false,
            deleted: false,
            commitUrl: `https://bitbucket.org/acme/fleet/commits/${A}`,
            pullRequest: '12',
          },
        ],
      },
    },
    {
      name: 'one delivery of several branches and tags',
      event: 'repo:push',
      payload: fixture('bitbucket/push-several'),
      expected: {
        kind: 'push',
        pushes: [
          { ...cloud, ref: 'refs/heads/release', commit: A, created: true, deleted: false },
          { ...cloudWithoutAuthor, ref: 'refs/heads/old', commit: '', created: false, deleted: true },
          { ...cloud, ref: 'refs/tags/v1', commit: C, created: true, deleted: false },
        ],
      },
    },
    {
      name: 'a push of nothing',
      event: 'repo:push',
      payload: fixture('bitbucket/push-empty'),
      expected: { kind: 'ignored', why: 'no branch or tag changed' },
    },
    {
      name: 'a pull request',
      event: 'pullrequest:created',
      payload: fixture('bitbucket/pull-request'),
      expected: {
        kind: 'pull-request',
        pullRequest: {
          action: 'opened',
          number: '12',
          title: 'Change podinfo',
          author: 'ada',
          url: 'https://bitbucket.org/acme/fleet/pull-requests/12',
          repositories: ['bitbucket.org/acme/fleet'],
          project: 'acme/fleet',
          base: { ref: 'refs/heads/main', commit: 'b'.repeat(12) },
          head: { ref: 'refs/heads/podinfo', commit: 'a'.repeat(12), project: 'acme/fleet' },
        },
      },
    },
  ],
  malformed: [
    { name: 'a push without changes', event: 'repo:push', payload: changed('bitbucket/push', { push: {} }) },
    {
      name: 'changes that are no list',
      event: 'repo:push',
      payload: changed('bitbucket/push', { push: { changes: 'boom' } }),
    },
    {
      name: 'a change of nothing',
      event: 'repo:push',
      payload: changed('bitbucket/push', { push: { changes: [null] } }),
    },
    {
      name: 'links that are no links',
      event: 'repo:push',
      payload: changed('bitbucket/push', { repository: { full_name: 'acme/x', links: 'boom' } }),
    },
  ],
});

const server = {
  repositories: ['bitbucket.example.org:7999/acme/fleet', 'bitbucket.example.org/scm/acme/fleet'],
  project: 'ACME/fleet',
  pusher: 'ada',
};
const serverRepository = fixture('bitbucket-server/push').repository as Record<string, unknown>;
const withClone = (clone: unknown) =>
  changed('bitbucket-server/push', { repository: { ...serverRepository, links: { clone } } });

receiverContract('bitbucket (Server)', {
  receiver: receivers.bitbucket,
  headers: (event, id, body, secret) => {
    const { 'x-request-uuid': requestId = '', ...rest } = bucketHeaders(event, id, body, secret);
    return { ...rest, 'x-request-id': requestId };
  },
  signatureHeader: 'x-hub-signature',
  signsBody: true,
  examples: [
    {
      name: 'a push',
      event: 'repo:refs_changed',
      payload: fixture('bitbucket-server/push'),
      expected: {
        kind: 'push',
        pushes: [{ ...server, ref: 'refs/heads/main', commit: A, created: false, deleted: false }],
      },
    },
    {
      name: 'one delivery of several branches and tags',
      event: 'repo:refs_changed',
      payload: fixture('bitbucket-server/push-several'),
      expected: {
        kind: 'push',
        pushes: [
          { ...server, ref: 'refs/heads/release', commit: A, created: true, deleted: false },
          { ...server, ref: 'refs/heads/old', commit: '', created: false, deleted: true },
          { ...server, ref: 'refs/tags/v1', commit: C, created: true, deleted: false },
        ],
      },
    },
    {
      name: 'a push of an older server, which sends no clone links',
      event: 'repo:refs_changed',
      payload: fixture('bitbucket-server/push-without-clone-links'),
      expected: {
        kind: 'push',
        pushes: [
          {
            ...server,
            repositories: ['bitbucket.example.org/scm/acme/fleet'],
            ref: 'refs/heads/main',
            commit: A,
            created: false,
            deleted: false,
          },
        ],
      },
    },
    {
      name: 'a ping',
      event: 'diagnostics:ping',
      payload: fixture('bitbucket-server/ping'),
      expected: { kind: 'ping' },
    },
    {
      name: 'a pull request',
      event: 'pr:opened',
      payload: fixture('bitbucket-server/pull-request'),
      expected: {
        kind: 'pull-request',
        pullRequest: {
          action: 'opened',
          number: '12',
          title: 'Change podinfo',
          author: 'ada',
          url: 'https://bitbucket.example.org/projects/ACME/repos/fleet/pull-requests/12',
          repositories: server.repositories,
          project: 'ACME/fleet',
          base: { ref: 'refs/heads/main', commit: B },
          head: { ref: 'refs/heads/podinfo', commit: A, project: 'ACME/fleet' },
        },
      },
    },
  ],
  malformed: [
    { name: 'clone links that are text', event: 'repo:refs_changed', payload: withClone('boom') },
    {
      name: 'a clone link that is a list',
      event: 'repo:refs_changed',
      payload: withClone([{ name: 'http', href: [] }]),
    },
    { name: 'clone links that are nothing', event: 'repo:refs_changed', payload: withClone([null]) },
    {
      name: 'clone links to nowhere',
      event: 'repo:refs_changed',
      payload: withClone([{ name: 'http', href: 'boom' }]),
    },
    {
      name: 'no repository',
      event: 'repo:refs_changed',
      payload: changed('bitbucket-server/push', { repository: null }),
    },
    {
      name: 'a change of another type',
      event: 'repo:refs_changed',
      payload: changed('bitbucket-server/push', {
        changes: [{ refId: 'refs/heads/x', fromHash: ZERO, toHash: A, type: 'EVIL' }],
      }),
    },
  ],
});

function personsOf(payload: Record<string, unknown>): Pick<Push, 'author' | 'committer' | 'commitUrl'> {
  const head = payload.head_commit as { url: string; author: Person; committer: Person };
  return {
    author: `${head.author.name} <${head.author.email}>`,
    committer: `${head.committer.name} <${head.committer.email}>`,
    commitUrl: head.url,
  };
}

interface Person {
  name: string;
  email: string;
}
