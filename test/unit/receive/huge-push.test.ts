import { createHmac } from 'node:crypto';
import { expect, test } from 'vitest';
import type { PushJob } from '../../../lib/core/job.ts';
import { silentLog } from '../../../lib/log.ts';
import { createWebhookApp } from '../../../lib/receive/app.ts';

const SECRET = 'correct horse';
const COMMIT = 'a'.repeat(40);
/** Far below what any queue takes (SQS: 256 KiB in older regions). */
const MOST = 16 * 1024;

/** Delivers a push, and answers what was enqueued. */
async function enqueuedFor(changes: Record<string, unknown>): Promise<PushJob[]> {
  const jobs: PushJob[] = [];
  const app = createWebhookApp({
    providers: { hub: { type: 'github', secrets: async () => [SECRET] } },
    enqueue: async (job) => void jobs.push(job),
    deliveries: { isDone: async () => false, markDone: async () => {} },
    log: silentLog,
    now: () => 1,
  });
  const body = JSON.stringify({
    ref: 'refs/heads/main',
    before: 'b'.repeat(40),
    after: COMMIT,
    repository: { full_name: 'acme/fleet', clone_url: 'https://github.com/acme/fleet.git' },
    pusher: { name: 'ada' },
    ...changes,
  });
  const signature = `sha256=${createHmac('sha256', SECRET).update(body).digest('hex')}`;
  const headers = {
    'content-type': 'application/json',
    'x-github-event': 'push',
    'x-github-delivery': 'd',
    'x-hub-signature-256': signature,
  };
  const answer = await app.request('/webhooks/github', { method: 'POST', headers, body });
  expect(answer.status).toBe(202);
  return jobs;
}

const long = 'ä'.repeat(200_000);

test.each<[string, Record<string, unknown>]>([
  [
    'thousands of commits',
    { commits: Array.from({ length: 2_048 }, () => ({ id: COMMIT, message: 'x'.repeat(1_000) })) },
  ],
  [
    'a message, an author and a committer without end',
    {
      head_commit: {
        id: COMMIT,
        message: `Merge pull request #1 from ${long}\n\n${long}`,
        author: { name: long, email: 'a@example.org' },
        committer: { name: long, email: 'a@example.org' },
      },
    },
  ],
  ['a pusher without end', { pusher: { name: long } }],
])('a push with %s becomes one small job that names its commit', async (_what, changes) => {
  const jobs = await enqueuedFor(changes);
  expect(jobs).toMatchObject([{ ref: 'refs/heads/main', commit: COMMIT, project: 'acme/fleet' }]);
  expect(Buffer.byteLength(JSON.stringify(jobs[0]))).toBeLessThan(MOST);
});
