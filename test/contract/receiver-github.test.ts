import examples from '@octokit/webhooks-examples' with { type: 'json' };
import type { Push } from '../../lib/receive/receiver.ts';
import { receivers } from '../../lib/receive/registry.ts';
import { A, B, hmac, personsOf } from '../support/webhook-payloads.ts';
import { receiverContract } from './receiver.ts';

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
