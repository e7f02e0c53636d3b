import { generateKeyPairSync, verify } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { ForgeError } from '../../../lib/forge/errors.ts';
import type { CommitStatus } from '../../../lib/forge/forge.ts';
import { createForge } from '../../../lib/forge/registry.ts';
import { createHttp } from '../../../lib/http.ts';
import { createNetworkPolicy } from '../../../lib/network.ts';
import { type ForgeServer, startForgeServer } from '../../support/forge-server.ts';

const NOW = Date.parse('2026-05-01T12:00:00Z');

const status: CommitStatus = {
  project: 'acme/fleet',
  commit: 'a'.repeat(40),
  context: 'slipway/staging',
  state: 'success',
  description: 'done',
};

const http = createHttp({
  policy: createNetworkPolicy({ allow: ['127.0.0.1'] }),
  timeoutMs: 1_000,
  maxBytes: 100_000,
  userAgent: 'slipway/test',
});

async function failure(call: Promise<unknown>): Promise<ForgeError> {
  const error = await call.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  expect(error).toBeInstanceOf(ForgeError);
  return error as ForgeError;
}

describe('a provider that refuses', () => {
  let server: ForgeServer;
  const forge = () =>
    createForge(
      { type: 'github', url: server.url, token: 'env:TOKEN' },
      { http, secret: async () => 'canary-token', now: () => NOW },
    );
  beforeAll(async () => {
    server = await startForgeServer(() => ({ status: 500 }));
  });
  afterAll(() => server.stop());

  it.each([
    [401, {}, 'Bad credentials', 'unauthorized'],
    [403, {}, 'Resource not accessible by integration', 'unauthorized'],
    [403, {}, 'Repository was archived so is read-only.', 'gone'],
    [404, {}, 'Not Found', 'gone'],
    [410, {}, 'Gone', 'gone'],
    [422, {}, 'No commit found for SHA: aaa', 'gone'],
    [422, {}, 'This SHA and context has reached the maximum number of statuses.', 'rejected'],
    [400, {}, 'Bad request', 'rejected'],
    [301, { location: 'https://elsewhere.example/' }, 'Moved Permanently', 'gone'],
    [500, {}, 'Server Error', 'transient'],
    [502, {}, 'Bad gateway', 'transient'],
    [408, {}, 'Timeout', 'transient'],
  ])('answers %i %o %s with %s', async (code, headers, message, kind) => {
    server.answer = () => ({ status: code, headers, body: { message } });
    const error = await failure(forge().setCommitStatus(status));
    expect(error.kind).toBe(kind);
    expect(error.message).toContain(`${code} ${message}`);
    expect(error.message).toContain('POST http://127.0.0.1');
  });

  it.each([
    [429, {}, 60_000],
    [429, { 'retry-after': '30' }, 30_000],
    [403, { 'retry-after': '90' }, 90_000],
    [403, { 'x-ratelimit-remaining': '0', 'x-ratelimit-reset': String(NOW / 1_000 + 600) }, 600_000],
  ])('takes %i %o as a limit of %i ms', async (code, headers, wait) => {
    server.answer = () => ({ status: code, headers, body: { message: 'slow down' } });
    expect(await failure(forge().setCommitStatus(status))).toMatchObject({
      kind: 'rate-limited',
      retryAfter: wait,
    });
  });

  it('knows a secondary limit by its words', async () => {
    const message = 'You have exceeded a secondary rate limit.';
    server.answer = () => ({ status: 403, body: { message } });
    expect(await failure(forge().setCommitStatus(status))).toMatchObject({
      kind: 'rate-limited',
      retryAfter: 60_000,
    });
  });

  it('does not take a page of another server for success', async () => {
    server.answer = () => ({ status: 200, body: '<html>Please log in</html>' });
    expect((await failure(forge().setCommitStatus(status))).kind).toBe('transient');
    server.answer = () => ({ status: 200, body: { hello: 'world' } });
    expect((await failure(forge().setCommitStatus(status))).kind).toBe('transient');
  });

  it('follows a renamed repository within the same server, once', async () => {
    server.answer = ({ path }) =>
      path.startsWith('/api/v3/repositories/')
        ? { status: 201, body: { state: 'success' } }
        : { status: 307, headers: { location: `${server.url}/api/v3/repositories/1/statuses/x` } };
    await forge().setCommitStatus(status);
    expect(server.requests.at(-1)).toMatchObject({ method: 'POST', body: { context: 'slipway/staging' } });
    server.answer = ({ path }) => ({ status: 307, headers: { location: path } });
    expect((await failure(forge().setCommitStatus(status))).kind).toBe('gone');
  });

  it('sends its token nowhere else', async () => {
    const other = await startForgeServer(() => ({ status: 201, body: { state: 'success' } }));
    server.answer = () => ({ status: 307, headers: { location: `${other.url}/taken` } });
    expect((await failure(forge().setCommitStatus(status))).kind).toBe('gone');
    expect(other.requests).toEqual([]);
    await other.stop();
  });

  it('shows no credential that the provider echoes', async () => {
    server.answer = ({ headers }) => ({ status: 400, body: { message: `bad ${headers.authorization}` } });
    expect(String(await failure(forge().setCommitStatus(status)))).not.toContain('canary');
  });

  it('calls a credential that cannot be read unauthorized', async () => {
    const broken = createForge(
      { type: 'github', url: server.url, token: 'env:TOKEN' },
      { http, secret: () => Promise.reject(new Error('TOKEN is not set')), now: () => NOW },
    );
    const error = await failure(broken.setCommitStatus(status));
    expect([error.kind, error.message.includes('TOKEN is not set')]).toEqual(['unauthorized', true]);
  });

  it('calls a server that is not there transient', async () => {
    const gone = await startForgeServer(() => ({ status: 200 }));
    await gone.stop();
    const dependencies = { http, secret: async () => 'x', now: () => NOW };
    const away = createForge({ type: 'github', url: gone.url }, dependencies);
    expect((await failure(away.setCommitStatus(status))).kind).toBe('transient');
  });
});

describe('a GitHub App', () => {
  const keys = generateKeyPairSync('rsa', { modulusLength: 2048 });
  const privateKey = keys.privateKey.export({ type: 'pkcs1', format: 'pem' }).toString();
  let server: ForgeServer;
  let time = NOW;
  let issued = 0;

  beforeAll(async () => {
    server = await startForgeServer(({ method, path, headers }) => {
      if (path.startsWith('/api/v3/repos/acme/fleet/statuses/'))
        return headers.authorization === `Bearer token-number-${issued}`
          ? { status: 201, body: { state: 'success' } }
          : { status: 401, body: { message: 'Bad credentials' } };
      if (!signedByApp(String(headers.authorization))) return { status: 401, body: { message: 'bad JWT' } };
      if (path === '/api/v3/repos/acme/fleet/installation') return { status: 200, body: { id: 77 } };
      if (path === '/api/v3/app/installations') return { status: 200, body: [{ id: 77 }] };
      if (method === 'POST' && path === '/api/v3/app/installations/77/access_tokens') {
        issued += 1;
        const expires = new Date(time + 3_600_000).toISOString();
        return { status: 201, body: { token: `token-number-${issued}`, expires_at: expires } };
      }
      return { status: 404, body: { message: 'Not Found' } };
    });
  });
  afterAll(() => server.stop());
  beforeEach(() => {
    time = NOW;
    issued = 0;
    server.requests.length = 0;
  });

  function signedByApp(authorization: string): boolean {
    const [header = '', payload = '', signature = ''] = authorization.replace('Bearer ', '').split('.');
    const data = Buffer.from(`${header}.${payload}`);
    const issuer = JSON.parse(Buffer.from(payload, 'base64url').toString() || '{}') as { iss?: unknown };
    const valid = verify('RSA-SHA256', data, keys.publicKey, Buffer.from(signature, 'base64url'));
    return valid && String(issuer.iss) === '42';
  }

  const app = (installationId?: string, key = privateKey) =>
    createForge(
      {
        type: 'github',
        url: server.url,
        app: {
          id: '42',
          privateKey: 'file:key.pem',
          ...(installationId === undefined ? {} : { installationId }),
        },
      },
      { http, secret: async () => key, now: () => time },
    );

  it('finds its installation and writes with a token of it, which it keeps', async () => {
    const forge = app();
    await forge.setCommitStatus(status);
    await forge.setCommitStatus(status);
    expect(server.requests.map(({ method, path }) => `${method} ${path.replace(/a{40}/, 'SHA')}`)).toEqual([
      'GET /api/v3/repos/acme/fleet/installation',
      'POST /api/v3/app/installations/77/access_tokens',
      'POST /api/v3/repos/acme/fleet/statuses/SHA',
      'POST /api/v3/repos/acme/fleet/statuses/SHA',
    ]);
  });

  it('renews the token before it runs out', async () => {
    const forge = app('77');
    await forge.setCommitStatus(status);
    time += 54 * 60_000;
    await forge.setCommitStatus(status);
    expect(issued).toBe(1);
    time += 2 * 60_000;
    await forge.setCommitStatus(status);
    expect(issued).toBe(2);
  });

  it('gives a token for Git', async () => {
    expect(await app().gitCredentials()).toEqual({ username: 'x-access-token', password: 'token-number-1' });
  });

  it('says what is wrong with its key, without showing it', async () => {
    const error = await failure(
      app('77', '-----BEGIN RSA PRIVATE KEY-----\ncanary\n-----END').setCommitStatus(status),
    );
    expect(error.kind).toBe('unauthorized');
    expect(error.message).toContain('the private key of the GitHub App 42 cannot be used');
    expect(error.message).not.toContain('canary');
  });

  it('calls an installation that was removed gone', async () => {
    expect((await failure(app('78').setCommitStatus(status))).kind).toBe('gone');
  });
});

describe('addresses of GitHub', () => {
  it.each([
    ['https://github.com', 'https://api.github.com/repos/acme/fleet/statuses/'],
    ['https://git.acme.example', 'https://git.acme.example/api/v3/repos/acme/fleet/statuses/'],
  ])('asks the API of %s at %s', async (url, expected) => {
    let asked = '';
    const recording = {
      async request({ url: to }: { url: string | URL }) {
        asked = String(to);
        return {
          status: 201,
          headers: new Headers(),
          body: new Uint8Array(),
          url: asked,
          text: () => '{"state":"x"}',
        };
      },
      stream: () => Promise.reject(new Error('not used')),
      close: async () => undefined,
    };
    await createForge(
      { type: 'github', url },
      { http: recording, secret: async () => '', now: () => NOW },
    ).setCommitStatus(status);
    expect(asked.startsWith(expected)).toBe(true);
  });

  it('knows no provider of an unknown type', () => {
    const dependencies = { http, secret: async () => '', now: () => NOW };
    expect(() => createForge({ type: 'constructor', url: 'https://h' }, dependencies)).toThrow(TypeError);
  });
});
