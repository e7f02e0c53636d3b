import { describe, expect, it } from 'vitest';
import { silentLog } from '../../../lib/log.ts';
import type { RunRecord } from '../../../lib/store/runs.ts';
import { createPages, type PagesOptions } from '../../../lib/web/pages.ts';

const NOW = Date.parse('2026-05-01T12:00:00Z');
const TOKEN = 'the token of the pages';

function record(changes: Partial<RunRecord> = {}): RunRecord {
  return {
    id: '01jt5qz8wc0123456789abcdef',
    cluster: 'staging',
    object: {
      group: 'kustomize.toolkit.fluxcd.io',
      kind: 'Kustomization',
      namespace: 'flux-system',
      name: 'apps',
    },
    trigger: 'source',
    origin: {
      id: 'p1',
      commit: 'a'.repeat(40),
      author: 'Ada Lovelace <ada@example.org>',
      committer: 'GitHub <noreply@github.com>',
      pusher: 'ada',
      pullRequest: '12',
      commitUrl: `https://github.com/acme/fleet/commit/${'a'.repeat(40)}`,
    },
    revision: `main@sha1:${'a'.repeat(40)}`,
    startedAt: NOW - 300_000,
    finishedAt: NOW - 297_500,
    steps: [
      { name: 'render', ms: 500 },
      { name: 'apply', ms: 1_200 },
      { name: 'health', ms: 800 },
    ],
    changes: [
      {
        ref: { group: 'apps', version: 'v1', kind: 'Deployment', namespace: 'apps', name: 'podinfo' },
        action: 'configured',
        detail: 'spec.replicas',
      },
      {
        ref: { group: '', version: 'v1', kind: 'Namespace', namespace: '', name: 'apps' },
        action: 'unchanged',
      },
    ],
    result: 'success',
    reason: 'ReconciliationSucceeded',
    message: 'Applied revision: main',
    ...changes,
  };
}

function setUp(records: RunRecord[] = [record()], options: Partial<PagesOptions> = {}) {
  const pages = createPages({
    runs: {
      get: async (cluster, id) => records.find((run) => run.cluster === cluster && run.id === id),
      list: async ({ cluster, object, limit, before }) =>
        records
          .filter((run) => cluster === undefined || run.cluster === cluster)
          .filter((run) => object === undefined || object.endsWith(`/${run.object.name}`))
          .filter((run) => before === undefined || run.id < before)
          .slice(0, limit),
    },
    clusters: ['staging', 'production'],
    access: 'open',
    log: silentLog,
    now: () => NOW,
    ...options,
  });
  return async (path: string, init?: RequestInit) => {
    const response = await pages.request(path, init);
    return { status: response.status, headers: response.headers, text: await response.text() };
  };
}

const RUN = `/runs/${record().cluster}/${record().id}`;

describe('createPages', () => {
  it('shows a run with everything an auditor asks for', async () => {
    const { status, text } = await setUp()(RUN);
    expect(status).toBe(200);
    for (const shown of [
      'Kustomization flux-system/apps',
      'staging',
      'Succeeded',
      'Ada Lovelace &lt;ada@example.org&gt;',
      'GitHub &lt;noreply@github.com&gt;',
      '#12',
      'a new revision of its source',
      '<a href="https://github.com/acme/fleet/commit/aaaa',
      '1.2 s',
      'Deployment/apps/podinfo',
      'spec.replicas',
      '1 unchanged',
      '5 min ago',
      '2026-05-01 11:55:00 UTC',
      'Applied revision: main',
    ])
      expect(text).toContain(shown);
  });

  it('escapes whatever came from outside', async () => {
    const evil = '"><script>alert(1)</script><a href="javascript:alert(2)">';
    const bad = record({
      cluster: evil,
      object: { group: '', kind: evil, namespace: evil, name: evil },
      origin: {
        id: 'x',
        commit: evil,
        author: evil,
        committer: 'x',
        pusher: evil,
        pullRequest: evil,
        commitUrl: 'javascript:alert(3)',
      },
      revision: evil,
      steps: [{ name: evil, ms: 1 }],
      changes: [
        {
          ref: { group: '', version: 'v1', kind: evil, namespace: evil, name: evil },
          action: 'created',
          detail: evil,
        },
      ],
      reason: evil,
      message: evil,
      result: 'failure',
    });
    const request = setUp([bad], { clusters: [evil] });
    const query = new URLSearchParams({ cluster: evil, object: evil, before: evil });
    const run = `/runs/${encodeURIComponent(evil)}/${bad.id}`;
    for (const path of [run, '/', '/runs', `/runs?${query}`]) {
      const { status, text } = await request(path);
      expect(status).toBe(200);
      expect(text).not.toContain('<script');
      expect(text).not.toMatch(/href="javascript:/);
      expect(text).not.toMatch(/"><[^a-z/]/);
    }
  });

  it('sends headers under which no script, frame or foreign file can run', async () => {
    const { headers, text } = await setUp()(RUN);
    const policy = headers.get('content-security-policy') ?? '';
    expect(policy).toContain("default-src 'none'");
    expect(policy).not.toContain('unsafe');
    expect(text).not.toMatch(/<script| style="| on[a-z]+="/);
    expect(headers.get('x-content-type-options')).toBe('nosniff');
    expect(headers.get('referrer-policy')).toBe('no-referrer');
    expect(headers.get('cache-control')).toBe('no-store');
  });

  it('lists runs, filters them and leads to older ones', async () => {
    const many = Array.from({ length: 60 }, (_, index) =>
      record({
        id: String(100 - index).padStart(6, '0'),
        cluster: index % 2 === 0 ? 'staging' : 'production',
      }),
    );
    const request = setUp(many);
    const first = await request('/runs');
    expect(first.text.match(/<tr>/g)).toHaveLength(51);
    const older = /href="([^"]+)">Older/.exec(first.text)?.[1]?.replaceAll('&amp;', '&');
    expect(older).toBe('/runs?before=000051');
    const second = await request(older ?? '');
    expect(second.text.match(/<tr>/g)).toHaveLength(11);
    expect(second.text).toContain('>Newest<');
    expect(second.text).not.toContain('>Older<');
    const staging = await request('/runs?cluster=staging&object=Kustomization/flux-system/apps');
    expect(staging.text.match(/<tr>/g)).toHaveLength(31);
    expect(staging.text).toContain('<option value="staging" selected>');
  });

  it('names the commit that a correction applied, and what a run did that changed no object', async () => {
    const corrected = record({ trigger: 'sweep' });
    delete corrected.origin;
    const list = await setUp([corrected])('/runs');
    expect(list.text).toContain(`<code title="${'a'.repeat(40)}">aaaaaaaa</code>`);
    const object = { group: 'source.toolkit.fluxcd.io', kind: 'GitRepository', namespace: 'x', name: 'y' };
    const fetched = await setUp([record({ object, changes: [], reason: 'Succeeded' })])('/runs');
    expect(fetched.text).toContain('<td>fetched</td>');
    expect((await setUp([record({ changes: [] })])('/runs')).text).toContain('<td>no changes</td>');
    const failed = record({ changes: [], result: 'failure', reason: 'BuildFailed' });
    expect((await setUp([failed])('/runs')).text).toContain('<td>BuildFailed</td>');
  });

  it('shows how each cluster fares by the newest run of each object', async () => {
    const failing = record({ id: '3', result: 'failure', reason: 'HealthCheckFailed' });
    const mended = record({ id: '2', cluster: 'production' });
    const before = record({ id: '1', cluster: 'production', result: 'failure', reason: 'BuildFailed' });
    const { text } = await setUp([failing, mended, before])('/');
    const cards = text.split('<section class="card">').slice(1);
    expect(cards[0]).toMatch(/staging[\s\S]*Failed[\s\S]*HealthCheckFailed/);
    expect(cards[1]).toMatch(/production[\s\S]*Succeeded/);
    expect(cards[1]?.split('</section>')[0]).not.toContain('BuildFailed');
  });

  it('says what is missing instead of showing nothing', async () => {
    const request = setUp([], { clusters: [] });
    expect((await request('/')).text).toContain('The fleet file names no cluster yet.');
    expect((await request('/runs')).text).toContain('No runs yet.');
    expect((await request('/runs/staging/unknown')).status).toBe(404);
    expect((await request('/nowhere')).status).toBe(404);
    const empty = record({ steps: [], changes: [], message: '', origin: { id: 'x' } });
    expect((await setUp([empty])(RUN)).text).toContain('Nothing was looked at.');
  });

  it('tells how many changes a long list leaves out', async () => {
    expect((await setUp([record({ changeCount: 1_500 })])(RUN)).text).toContain(
      'and 1498 more that are not listed',
    );
  });

  it('reloads by itself while a run is going on', async () => {
    expect((await setUp([record({ result: 'waiting' })])(RUN)).text).toContain('http-equiv="refresh"');
    expect((await setUp()(RUN)).text).not.toContain('http-equiv="refresh"');
  });

  it('shows an error page without the error', async () => {
    const runs = {
      get: () => Promise.reject(new Error('canary')),
      list: () => Promise.reject(new Error('canary')),
    };
    const request = setUp([], { runs });
    for (const path of [RUN, '/', '/runs']) {
      const { status, text } = await request(path);
      expect(status).toBe(500);
      expect(text).not.toContain('canary');
    }
  });

  it('serves its style sheet and icon', async () => {
    const css = await setUp()('/assets/style.css');
    expect([css.status, css.headers.get('content-type')]).toEqual([200, 'text/css; charset=utf-8']);
    expect(css.headers.get('cache-control')).toContain('max-age');
    expect((await setUp()('/assets/icon.svg')).headers.get('content-type')).toBe('image/svg+xml');
  });

  it('shows runs by link alone where lists are switched off', async () => {
    const request = setUp([record()], { access: 'links' });
    expect((await request(RUN)).status).toBe(200);
    for (const path of ['/', '/runs', `/runs?cluster=staging`]) {
      const { status, text } = await request(path);
      expect(status).toBe(403);
      expect(text).not.toContain(record().id);
    }
    expect((await request('/sign-in', { method: 'POST' })).status).toBe(404);
  });

  describe('with a token', () => {
    const request = setUp([record()], { access: { token: async () => TOKEN } });
    const signIn = (token: string, next = '/runs') =>
      request('/sign-in', {
        method: 'POST',
        body: new URLSearchParams({ token, next }).toString(),
        headers: { 'content-type': 'application/x-www-form-urlencoded' },
      });

    it('asks for it before anything is listed, and not for a run by its link', async () => {
      for (const path of ['/', '/runs']) {
        const { status, text } = await request(path);
        expect(status).toBe(401);
        expect(text).toContain('type="password"');
        expect(text).not.toContain(record().id);
      }
      expect((await request(RUN)).status).toBe(200);
    });

    it('lets in whoever knows it, by form and by bearer token', async () => {
      const { status, headers } = await signIn(TOKEN);
      expect([status, headers.get('location')]).toEqual([303, '/runs']);
      const cookie = headers.get('set-cookie') ?? '';
      expect(cookie).toMatch(/HttpOnly/);
      expect(cookie).toMatch(/SameSite=Lax/);
      expect(cookie).not.toContain(TOKEN);
      const session = { headers: { cookie: cookie.split(';')[0] ?? '' } };
      expect((await request('/runs', session)).status).toBe(200);
      expect((await request('/runs', { headers: { authorization: `Bearer ${TOKEN}` } })).status).toBe(200);
    });

    it('refuses a wrong or empty one, and a session of another token', async () => {
      for (const token of ['', 'wrong', `${TOKEN} `]) {
        const { status, headers } = await signIn(token);
        expect([status, headers.get('set-cookie')]).toEqual([401, null]);
      }
      const other = setUp([record()], { access: { token: async () => 'another' } });
      const cookie = (await signIn(TOKEN)).headers.get('set-cookie')?.split(';')[0] ?? '';
      expect((await other('/runs', { headers: { cookie } })).status).toBe(401);
      expect((await request('/runs', { headers: { authorization: 'Bearer wrong' } })).status).toBe(401);
    });

    it('lets nobody in when the token is empty', async () => {
      const open = setUp([record()], { access: { token: async () => '' } });
      expect((await open('/runs', { headers: { authorization: 'Bearer x' } })).status).toBe(401);
      const body = new URLSearchParams({ token: '', next: '/' }).toString();
      const headers = { 'content-type': 'application/x-www-form-urlencoded' };
      expect((await open('/sign-in', { method: 'POST', body, headers })).status).toBe(401);
    });

    it('leads nowhere else after signing in', async () => {
      for (const next of ['https://evil.example', '//evil.example', '/\\evil.example', 'javascript:alert(1)'])
        expect((await signIn(TOKEN, next)).headers.get('location')).toBe('/');
    });
  });
});
