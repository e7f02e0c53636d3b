import type { Push } from '../../lib/receive/receiver.ts';
import { receivers } from '../../lib/receive/registry.ts';
import { changed, fixture, hmac, personsOf } from '../support/webhook-payloads.ts';
import { receiverContract } from './receiver.ts';

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
