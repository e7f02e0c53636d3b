import type { Push } from '../../lib/receive/receiver.ts';
import { receivers } from '../../lib/receive/registry.ts';
import { A, changed, fixture } from '../support/webhook-payloads.ts';
import { receiverContract } from './receiver.ts';

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
