import { createHmac } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import type { PushJob } from '../../../lib/core/job.ts';
import { silentLog } from '../../../lib/log.ts';
import { createWebhookApp, type WebhookAppOptions } from '../../../lib/receive/app.ts';

const SECRET = 'correct horse';
const COMMIT = 'a'.repeat(40);

function push(changes: Record<string, unknown> = {}) {
  return {
    ref: 'refs/heads/main',
    before: 'b'.repeat(40),
    after: COMMIT,
    head_commit: {
      id: COMMIT,
      message: 'Add podinfo (#12)\n\nMore',
      author: { name: 'Ada', email: 'ada@example.org' },
      committer: { name: 'GitHub', email: 'noreply@example.org' },
    },
    repository: {
      full_name: 'acme/fleet',
      clone_url: 'https://github.com/acme/fleet.git',
      ssh_url: 'git@github.com:acme/fleet.git',
    },
    pusher: { name: 'ada' },
    ...changes,
  };
}

function setUp(options: Partial<WebhookAppOptions> = {}) {
  const jobs: { job: PushJob; replay: boolean }[] = [];
  const done = new Set<string>();
  const app = createWebhookApp({
    providers: { hub: { type: 'github', secrets: async () => [SECRET] } },
    enqueue: async (job, { replay }) => {
      jobs.push({ job, replay });
    },
    deliveries: {
      isDone: async (provider, id) => done.has(`${provider} ${id}`),
      markDone: async (provider, id) => {
        done.add(`${provider} ${id}`);
      },
    },
    log: silentLog,
    now: () => 1_000,
    ...options,
  });
  async function send(
    body: unknown,
    {
      secret = SECRET,
      headers = {},
      path = '/webhooks/github',
    }: { secret?: string; headers?: Record<string, string>; path?: string } = {},
  ) {
    const text = typeof body === 'string' ? body : JSON.stringify(body);
    return app.request(path, {
      method: 'POST',
      body: text,
      headers: {
        'content-type': 'application/json',
        'x-github-event': 'push',
        'x-github-delivery': 'd1',
        'x-hub-signature-256': `sha256=${createHmac('sha256', secret).update(text).digest('hex')}`,
        ...headers,
      },
    });
  }
  return { app, jobs, done, send };
}

describe('createWebhookApp', () => {
  it('answers 202 with the id of the push once its job is stored', async () => {
    const { jobs, send } = setUp();
    const response = await send(push());
    expect(response.status).toBe(202);
    expect(jobs).toEqual([
      {
        replay: false,
        job: {
          type: 'push',
          provider: 'hub',
          repositories: ['github.com/acme/fleet'],
          project: 'acme/fleet',
          ref: 'refs/heads/main',
          commit: COMMIT,
          origin: {
            id: ((await response.json()) as { id: string }).id,
            commit: COMMIT,
            author: 'Ada <ada@example.org>',
            committer: 'GitHub <noreply@example.org>',
            pusher: 'ada',
            pullRequest: '12',
          },
          receivedAt: 1_000,
        },
      },
    ]);
  });
});
