import { receivers } from '../../lib/receive/registry.ts';
import { A, B, C, changed, fixture, hmac, ZERO } from '../support/webhook-payloads.ts';
import { receiverContract } from './receiver.ts';

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
