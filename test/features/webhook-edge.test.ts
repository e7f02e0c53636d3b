import { createHmac } from 'node:crypto';
import { join } from 'node:path';
import { runInNewContext } from 'node:vm';
import { build } from 'esbuild';
import { beforeAll, describe, expect, it } from 'vitest';
import type { PushJob } from '../../lib/core/job.ts';
import { silentLog } from '../../lib/log.ts';
import type { createWebhookApp } from '../../lib/receive/app.ts';
import type { createIdTokens } from '../../lib/receive/id-token.ts';
import { createIssuer, documentsOf } from '../support/oidc-issuer.ts';
import { receiverEntry } from '../support/receiver-entry.ts';

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
  atob,
  btoa,
  structuredClone,

  ArrayBuffer,
  clearTimeout,
  console,
  crypto,
  setTimeout,
};

describe('the webhook edge on a Web-standard runtime', () => {
  let code: string;
  let edge: { createWebhookApp: typeof createWebhookApp; createIdTokens: typeof createIdTokens };
  let create: typeof createWebhookApp;

  beforeAll(async () => {
    const bundle = await build({
      stdin: {
        contents: "export * from './app.ts'; export * from './id-token.ts';",
        resolveDir: join(import.meta.dirname, '../../lib/receive'),
      },
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
    edge = runInNewContext(`${code}; edge`, { ...WEB_GLOBALS }) as typeof edge;
    create = edge.createWebhookApp;
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

  it('takes the calls of Receivers, of registries and of identities, and no forged ones', async () => {
    const issuer = await createIssuer('https://accounts.google.com', Date.now);
    const identity = { email: 'pusher@acme.iam.gserviceaccount.com', audience: 'slipway' };
    const jobs: unknown[] = [];
    const app = create({
      providers: {},
      enqueue: async () => undefined,
      hooks: {
        refused: { recall: () => undefined, remember: () => undefined },
        find: async () => [{ ...receiverEntry(), secret: async () => ({ token: SECRET }) }],
        tokens: { verify: async () => ({}) },
        checkClaims: async () => [],
        enqueue: async (job) => void jobs.push(job),
      },
      registries: {
        registries: {
          google: { type: 'gcr', host: 'europe-docker.pkg.dev', secrets: async () => [], identity },
        },
        tokens: edge.createIdTokens(documentsOf(issuer), Date.now),
        enqueue: async (sent) => void jobs.push(...sent),
      },
      deliveries: { isDone: async () => false, markDone: async () => undefined },
      log: silentLog,
      now: () => 0,
    });
    const send = async (path: string, body: string, headers: Record<string, string>) => {
      const all = { 'content-type': 'application/json', ...headers };
      return (
        await app.fetch(new Request(`https://edge.example${path}`, { method: 'POST', body, headers: all }))
      ).status;
    };
    const sign = (secret: string) => `sha256=${createHmac('sha256', secret).update('{}').digest('hex')}`;
    const hook = `/hook/${'a'.repeat(64)}`;
    expect(await send(hook, '{}', { 'x-hub-signature-256': sign('wrong') })).toBe(401);
    expect(await send(hook, '{}', { 'x-hub-signature-256': sign(SECRET), 'x-github-event': 'push' })).toBe(
      202,
    );
    const tag = 'europe-docker.pkg.dev/acme/app:1';
    const data = Buffer.from(JSON.stringify({ action: 'INSERT', tag })).toString('base64');
    const body = JSON.stringify({ message: { data, messageId: '1' } });
    const bearer = async (email: string) => ({
      authorization: `Bearer ${await issuer.sign({ aud: 'slipway', email, email_verified: true })}`,
    });
    expect(await send('/webhooks/registry/gcr', body, await bearer('other@example.com'))).toBe(401);
    expect(await send('/webhooks/registry/gcr', body, await bearer(identity.email))).toBe(202);
    expect(jobs).toMatchObject([{ type: 'hook' }, { type: 'image', tag: '1' }]);
  });
});
