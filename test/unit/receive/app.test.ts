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

/** A stream of zeros that tells how much of it was read. */
function zeros(total: number) {
  const read = { bytes: 0, cancelled: false };
  const stream = new ReadableStream<Uint8Array>({
    pull(controller) {
      const size = Math.min(64 * 1024, total - read.bytes);
      if (size === 0) controller.close();
      else controller.enqueue(new Uint8Array(size));
      read.bytes += size;
    },
    cancel() {
      read.cancelled = true;
    },
  });
  return { stream, read };
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

  it('answers 401 and enqueues nothing without a valid signature', async () => {
    const { jobs, done, send } = setUp();
    expect((await send(push(), { secret: 'wrong' })).status).toBe(401);
    expect((await send(push(), { headers: { 'x-hub-signature-256': '' } })).status).toBe(401);
    expect((await send(push(), { headers: { 'x-hub-signature-256': 'sha1=abc' } })).status).toBe(401);
    expect([jobs, done.size]).toEqual([[], 0]);
  });

  it('lets nobody in where a provider has no secret', async () => {
    const { send } = setUp({ providers: { hub: { type: 'github', secrets: async () => [''] } } });
    expect((await send(push(), { secret: 'x' })).status).toBe(401);
  });

  it('answers a ping with 200 and events that deploy nothing with 204', async () => {
    const { jobs, send } = setUp();
    expect((await send({ zen: 'x' }, { headers: { 'x-github-event': 'ping' } })).status).toBe(200);
    expect((await send({ a: 1 }, { headers: { 'x-github-event': 'star' } })).status).toBe(204);
    expect((await send(push({ ref: 'refs/notes/x' }))).status).toBe(204);
    expect(jobs).toEqual([]);
  });

  it('takes a form as well as JSON', async () => {
    const { jobs, send } = setUp();
    const form = new URLSearchParams({ payload: JSON.stringify(push()) }).toString();
    const type = { 'content-type': 'application/x-www-form-urlencoded' };
    expect((await send(form, { headers: type })).status).toBe(202);
    expect(jobs[0]?.job.commit).toBe(COMMIT);
    expect((await send(`${form}&payload=%7B%7D`, { headers: type })).status).toBe(400);
  });

  it.each([
    ['no JSON', '{"ref":'],
    ['a key twice', '{"ref":"refs/heads/main","ref":"refs/heads/evil"}'],
    ['__proto__', '{"__proto__":{"polluted":true}}'],
    ['an escaped __proto__', '{"a":[{"__pro\\u0074o__":1}]}'],
    ['half a character', '{"ref":"\\ud800"}'],
    ['10,000 levels', `${'['.repeat(10_000)}${']'.repeat(10_000)}`],
    ['a number', '1'],
    ['nothing known', '{}'],
  ])('answers signed %s with 400, and is not changed by it', async (_name, body) => {
    const { jobs, send } = setUp();
    const response = await send(body);
    expect(response.status).toBe(400);
    expect(await response.text()).not.toMatch(/evil|polluted|refs/);
    expect(({} as Record<string, unknown>).polluted).toBeUndefined();
    expect(jobs).toEqual([]);
  });

  it('answers signed bytes that are no text with 400 or 401, never with 5xx', async () => {
    const { app } = setUp({ providers: { lab: { type: 'gitlab', secrets: async () => [SECRET] } } });
    const response = await app.request('/webhooks/gitlab', {
      method: 'POST',
      body: new Uint8Array([0x7b, 0xff, 0xfe, 0x7d]),
      headers: { 'x-gitlab-token': SECRET, 'content-type': 'application/json' },
    });
    expect(response.status).toBe(400);
  });

  it('refuses other content types and compressed bodies', async () => {
    const { send } = setUp();
    expect((await send(push(), { headers: { 'content-type': 'text/plain' } })).status).toBe(400);
    expect((await send(push(), { headers: { 'content-encoding': 'gzip' } })).status).toBe(415);
  });

  it('remembers a delivery only once its job is stored', async () => {
    let broken = true;
    const stored: string[] = [];
    const { done, send } = setUp({
      enqueue: async (job) => {
        if (broken) throw new Error('the queue is down');
        stored.push(job.origin.id);
      },
    });
    const failed = await send(push());
    expect([failed.status, failed.headers.get('retry-after')]).toEqual([503, '30']);
    expect([stored, done.size]).toEqual([[], 0]);
    broken = false;
    expect((await send(push())).status).toBe(202);
    expect([stored.length, done.size]).toEqual([1, 1]);
  });

  it('answers 503 when the delivery itself cannot be looked up or remembered', async () => {
    const deliveries = {
      isDone: async () => false,
      markDone: async () => {
        throw new Error('the table is down');
      },
    };
    expect((await setUp({ deliveries }).send(push())).status).toBe(503);
  });

  it('answers a replay with the same id and lets the callee decide what to do', async () => {
    const { jobs, send } = setUp();
    const first = await (await send(push())).json();
    const second = await send(push());
    expect(second.status).toBe(202);
    expect(await second.json()).toEqual(first);
    expect(jobs.map(({ replay }) => replay)).toEqual([false, true]);
    expect(jobs[0]?.job.origin.id).toBe(jobs[1]?.job.origin.id);
  });

  it('does not take another body under a known delivery id for a replay', async () => {
    const { jobs, send } = setUp();
    await send(push());
    await send(push({ ref: 'refs/heads/other' }));
    expect(jobs.map(({ replay }) => replay)).toEqual([false, false]);
  });

  it('gives A, B and A again ids of their own', async () => {
    const { jobs, send } = setUp();
    const other = 'c'.repeat(40);
    await send(push(), { headers: { 'x-github-delivery': 'd1' } });
    await send(push({ after: other, head_commit: null }), { headers: { 'x-github-delivery': 'd2' } });
    await send(push(), { headers: { 'x-github-delivery': 'd3' } });
    expect(new Set(jobs.map(({ job }) => job.origin.id)).size).toBe(3);
    expect(jobs.every(({ replay }) => !replay)).toBe(true);
  });

  it('finds the provider by its secret among several of one type', async () => {
    const providers = {
      one: { type: 'github' as const, secrets: async () => ['first'] },
      two: { type: 'github' as const, secrets: async () => ['second', SECRET] },
      lab: { type: 'gitlab' as const, secrets: async () => [SECRET] },
    };
    const { jobs, send } = setUp({ providers });
    await send(push());
    expect(jobs[0]?.job.provider).toBe('two');
    expect((await send(push(), { path: '/webhooks/github/two' })).status).toBe(202);
    expect((await send(push(), { path: '/webhooks/github/one' })).status).toBe(401);
    expect((await send(push(), { path: '/webhooks/github/lab' })).status).toBe(404);
  });

  it('lets one provider keep working when the secret of another cannot be read', async () => {
    const broken = { type: 'github' as const, secrets: () => Promise.reject(new Error('no such file')) };
    const fine = { type: 'github' as const, secrets: async () => [SECRET] };
    expect((await setUp({ providers: { broken, fine } }).send(push())).status).toBe(202);
    expect((await setUp({ providers: { broken } }).send(push())).status).toBe(500);
  });

  it('lets a provider speak only of its own repositories', async () => {
    const accepts = (repository: string) => repository.startsWith('github.com/acme/');
    const providers = { hub: { type: 'github' as const, secrets: async () => [SECRET], accepts } };
    const { jobs, send } = setUp({ providers });
    expect((await send(push())).status).toBe(202);
    const foreign = push({
      repository: { full_name: 'acme/fleet', clone_url: 'https://github.com/victim/fleet' },
    });
    expect((await send(foreign)).status).toBe(403);
    const both = push({
      repository: {
        full_name: 'acme/fleet',
        clone_url: 'https://github.com/acme/fleet',
        ssh_url: 'git@github.com:victim/fleet.git',
      },
    });
    expect((await send(both)).status).toBe(202);
    expect(jobs.map(({ job }) => job.repositories)).toEqual([
      ['github.com/acme/fleet'],
      ['github.com/acme/fleet'],
    ]);
  });

  it('passes pull requests on where somebody wants them', async () => {
    const pull = {
      action: 'opened',
      repository: push().repository,
      pull_request: {
        number: 12,
        title: 'Add podinfo',
        html_url: 'https://github.com/acme/fleet/pull/12',
        user: { login: 'ada' },
        base: { ref: 'main', sha: 'b'.repeat(40), repo: push().repository },
        head: { ref: 'podinfo', sha: COMMIT, repo: null },
      },
    };
    const headers = { 'x-github-event': 'pull_request' };
    expect((await setUp().send(pull, { headers })).status).toBe(204);
    const seen: unknown[] = [];
    const { send } = setUp({ enqueuePullRequest: async (event) => void seen.push(event) });
    expect((await send(pull, { headers })).status).toBe(202);
    expect(seen).toMatchObject([{ number: '12', head: { commit: COMMIT, project: '' } }]);
  });

  it('answers one id for each of several pushes in a delivery', async () => {
    const { app, jobs } = setUp({ providers: { b: { type: 'bitbucket', secrets: async () => [SECRET] } } });
    const end = (name: string) => ({ type: 'branch', name, target: { hash: COMMIT } });
    const body = JSON.stringify({
      repository: { full_name: 'acme/fleet', links: { html: { href: 'https://bitbucket.org/acme/fleet' } } },
      push: { changes: [{ new: end('one') }, { new: end('two') }] },
    });
    const signature = createHmac('sha256', SECRET).update(body).digest('hex');
    const response = await app.request('/webhooks/bitbucket', {
      method: 'POST',
      body,
      headers: {
        'content-type': 'application/json; charset=utf-8',
        'x-event-key': 'repo:push',
        'x-hub-signature': `sha256=${signature}`,
      },
    });
    const ids = jobs.map(({ job }) => job.origin.id);
    expect(await response.json()).toEqual({ id: ids[0], ids });
  });

  it('refuses a body over the limit by what it says, without reading it', async () => {
    const { app } = setUp();
    const { stream, read } = zeros(25 * 1024 * 1024);
    const request = new Request('http://localhost/webhooks/github', {
      method: 'POST',
      body: stream,
      headers: { 'content-length': String(25 * 1024 * 1024) },
      duplex: 'half',
    } as RequestInit);
    expect((await app.fetch(request)).status).toBe(413);
    expect(read.bytes).toBeLessThanOrEqual(64 * 1024);
  });

  it('refuses a body over the limit by counting, whatever it says', async () => {
    for (const headers of [{}, { 'content-length': '10' }]) {
      const { app } = setUp();
      const { stream, read } = zeros(1024 * 1024 * 1024);
      const init = { method: 'POST', body: stream, headers, duplex: 'half' } as RequestInit;
      expect((await app.fetch(new Request('http://localhost/webhooks/github', init))).status).toBe(413);
      expect(read.bytes).toBeLessThan(4 * 1024 * 1024);
      expect(read.cancelled).toBe(true);
    }
  });

  it('accepts exactly the limit and refuses one byte more', async () => {
    const body = JSON.stringify(push());
    const { send } = setUp({ maxBodyBytes: body.length });
    expect((await send(body)).status).toBe(202);
    expect((await send(`${body} `)).status).toBe(413);
  });

  it('gives up on a body that never ends', async () => {
    const { app } = setUp({ bodyTimeoutMs: 20 });
    const stream = new ReadableStream<Uint8Array>();
    const init = { method: 'POST', body: stream, duplex: 'half' } as RequestInit;
    expect((await app.fetch(new Request('http://localhost/webhooks/github', init))).status).toBe(408);
  });

  it('answers 400 when the body breaks off', async () => {
    const { app } = setUp();
    const stream = new ReadableStream<Uint8Array>({
      pull: (controller) => controller.error(new Error('reset')),
    });
    const init = { method: 'POST', body: stream, duplex: 'half' } as RequestInit;
    expect((await app.fetch(new Request('http://localhost/webhooks/github', init))).status).toBe(400);
  });

  it('refuses endless headers', async () => {
    const { send } = setUp();
    expect((await send(push(), { headers: { 'x-long': 'x'.repeat(40_000) } })).status).toBe(431);
  });

  it('knows only its own paths and methods', async () => {
    const { app, send } = setUp();
    expect((await app.request('/webhooks/github')).status).toBe(405);
    expect((await send(push(), { path: '/webhooks/constructor' })).status).toBe(404);
    expect((await send(push(), { path: '/webhooks/gitlab' })).status).toBe(404);
    expect((await app.request('/')).status).toBe(404);
    expect((await send(push(), { path: '/webhooksgithub' })).status).toBe(404);
    expect((await send(push(), { path: '/webhooks/github/hub/' })).status).toBe(202);
  });

  it('tells whether it lives and whether it is ready', async () => {
    expect((await setUp().app.request('/healthz')).status).toBe(200);
    expect((await setUp().app.request('/readyz')).status).toBe(200);
    expect((await setUp({ ready: async () => false }).app.request('/readyz')).status).toBe(503);
    const broken = () => Promise.reject(new Error('down'));
    expect((await setUp({ ready: broken }).app.request('/readyz')).status).toBe(503);
  });

  it('sets headers that keep browsers from guessing and caching', async () => {
    const { headers } = await setUp().send(push());
    expect(headers.get('x-content-type-options')).toBe('nosniff');
    expect(headers.get('cache-control')).toBe('no-store');
  });
});
