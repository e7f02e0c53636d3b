import { createHmac } from 'node:crypto';
import { join } from 'node:path';
import { runInNewContext } from 'node:vm';
import { build } from 'esbuild';
import { beforeAll, describe, expect, it } from 'vitest';
import type { PushJob } from '../../lib/core/job.ts';
import { silentLog } from '../../lib/log.ts';
import type { createWebhookApp } from '../../lib/receive/app.ts';

const SECRET = 'the secret of the hook';

/** What a Web-standard runtime has; nothing of Node. */
const WEB_GLOBALS = {
  AbortController,
  AbortSignal,
  Headers,
  ReadableStream,
  Request,
  Response,
  TextDecoder,
  TextEncoder,
  URL,
  URLSearchParams,
  Uint8Array,
  ArrayBuffer,
  clearTimeout,
  console,
  crypto,
  setTimeout,
};

describe('the webhook edge on a Web-standard runtime', () => {
  let code: string;
  let create: typeof createWebhookApp;

  beforeAll(async () => {
    const bundle = await build({
      entryPoints: [join(import.meta.dirname, '../../lib/receive/app.ts')],
      bundle: true,
      write: false,
      minify: true,
      format: 'iife',
      globalName: 'edge',
      platform: 'browser',
      conditions: ['worker', 'browser'],
      target: 'es2024',
    });
    code = bundle.outputFiles[0]?.text ?? '';
    create = runInNewContext(`${code}; edge.createWebhookApp`, { ...WEB_GLOBALS }) as typeof createWebhookApp;
  });

  it('needs nothing of Node and stays small', () => {
    expect(code).not.toMatch(/node:|\brequire\(/);
    expect(code.length).toBeLessThan(200_000);
  });

  it.each(['github', 'gitea', 'gitlab', 'bitbucket'] as const)(
    'accepts a push of %s, and no forged one',
    async (type) => {
      const jobs: PushJob[] = [];
      const app = create({
        providers: { hub: { type, secrets: async () => [SECRET] } },
        enqueue: async (job) => void jobs.push(job),
        deliveries: { isDone: async () => false, markDone: async () => undefined },
        log: silentLog,
        now: () => 0,
      });
      const commit = 'a'.repeat(40);
      const github = {
        ref: 'refs/heads/main',
        after: commit,
        repository: { full_name: 'acme/fleet', clone_url: 'https://h/acme/fleet.git' },
      };
      const payloads = {
        github,
        gitea: github,
        gitlab: {
          object_kind: 'push',
          ref: 'refs/heads/main',
          after: commit,
          project: { path_with_namespace: 'acme/fleet', git_http_url: 'https://h/acme/fleet.git' },
        },
        bitbucket: {
          repository: { full_name: 'acme/fleet', links: { html: { href: 'https://h/acme/fleet' } } },
          push: { changes: [{ new: { type: 'branch', name: 'main', target: { hash: commit } } }] },
        },
      };
      const body = JSON.stringify(payloads[type]);
      const send = async (secret: string) => {
        const hmac = createHmac('sha256', secret).update(body).digest('hex');
        const headers = {
          'content-type': 'application/json',
          'x-github-event': 'push',
          'x-hub-signature-256': `sha256=${hmac}`,
          'x-gitea-event': 'push',
          'x-gitea-signature': hmac,
          'x-gitlab-event': 'Push Hook',
          'x-gitlab-token': secret,
          'x-event-key': 'repo:push',
          'x-hub-signature': `sha256=${hmac}`,
        };
        const request = new Request(`https://edge.example/webhooks/${type}`, {
          method: 'POST',
          body,
          headers,
        });
        return (await app.fetch(request)).status;
      };
      expect(await send('wrong')).toBe(401);
      expect(await send(SECRET)).toBe(202);
      expect(jobs).toMatchObject([{ commit, repositories: ['h/acme/fleet'], ref: 'refs/heads/main' }]);
    },
  );
});
