import { generateKeyPairSync } from 'node:crypto';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { createHttp, type Http } from '../../lib/http.ts';
import { createNetworkPolicy } from '../../lib/network.ts';
import type { SourceKind } from '../../lib/source/source.ts';
import type { GitRepository } from '../../lib/toolkit/git-repository.ts';
import {
  failureOf,
  type GitHarness,
  sourceInputs,
  startGitHarness,
  withSecret,
} from '../support/git-source.ts';

const { privateKey } = generateKeyPairSync('rsa', {
  modulusLength: 2_048,
  privateKeyEncoding: { type: 'pkcs1', format: 'pem' },
  publicKeyEncoding: { type: 'spki', format: 'pem' },
});
const TOKEN = 'ghs_c4naryc4naryc4nary';
const SPEC = { provider: 'github', secretRef: { name: 'app' } };

let git: GitHarness;
let http: Http;
let now: number;
let source: SourceKind<GitRepository>;

beforeEach(async () => {
  git = await startGitHarness();
  git.server.credentials = { username: 'x-access-token', password: TOKEN };
  const policy = createNetworkPolicy({ allow: ['127.0.0.1'] });
  http = createHttp({ policy, timeoutMs: 10_000, maxBytes: 1_000_000, userAgent: 'test' });
  now = Date.parse('2026-01-01T00:00:00Z');
  source = git.createSource({ http, now: () => now });
  git.server.intercept = (request, response) => {
    if (!request.url?.startsWith('/api/v3/')) return false;
    const answer = request.url.endsWith('/installation')
      ? { id: 42 }
      : { token: TOKEN, expires_at: new Date(now + 3_600_000).toISOString() };
    response.writeHead(request.method === 'POST' ? 201 : 200, { 'content-type': 'application/json' });
    response.end(JSON.stringify(answer));
    return true;
  };
});
afterEach(async () => {
  await http.close();
  await git.close();
});

/** The data of the App, with the fake API on the Git server. */
const app = (more: Record<string, string> = {}) =>
  withSecret({
    githubAppID: '7',
    githubAppPrivateKey: privateKey,
    githubAppBaseURL: git.server.url,
    ...more,
  });

const apiCalls = () => git.server.requests.map(({ path }) => path).filter((path) => path.startsWith('/api/'));

test('the token of the installation is the password, and is kept for an hour', async () => {
  const inputs = sourceInputs(app({ githubAppInstallationID: '41' }));
  expect(await source.resolve(git.object(SPEC), inputs)).toMatch(/^main@sha1:/);
  await source.fetch(git.object(SPEC), undefined, inputs);
  expect(apiCalls()).toEqual(['/api/v3/app/installations/41/access_tokens']);
  now += 3_600_000;
  await source.resolve(git.object(SPEC), inputs);
  expect(apiCalls()).toHaveLength(2);
});

test('without the id of the installation it is looked up for the repository', async () => {
  git.server.add('org/repo.git', `${git.repository.directory}/.git`);
  const object = git.object({ ...SPEC, url: `${git.server.url}/org/repo.git` });
  await source.resolve(object, sourceInputs(app({ githubAppInstallationOwner: 'org' })));
  expect(apiCalls()).toEqual([
    '/api/v3/repos/org/repo/installation',
    '/api/v3/app/installations/42/access_tokens',
  ]);
});

test.each([
  ['a secret of another kind', SPEC, withSecret({ username: 'u', password: 'p' }), 'githubAppID'],
  ['no private key', SPEC, withSecret({ githubAppID: '7' }), 'githubAppPrivateKey'],
  [
    'an id that is no number',
    SPEC,
    withSecret({ githubAppID: 'x', githubAppPrivateKey: 'k' }),
    'githubAppID',
  ],
  ['no secret', { provider: 'github' }, {}, 'githubAppID'],
  [
    'a secret for an App, and the provider generic',
    { secretRef: { name: 'app' } },
    withSecret({ githubAppID: '7' }),
    'set spec.provider',
  ],
  ['a provider that is not supported', { provider: 'azure' }, {}, 'spec.provider azure'],
  ['an SSH URL', { ...SPEC, url: 'ssh://git@host/x' }, withSecret({ githubAppID: '7' }), 'https URLs only'],
])('%s stalls with InvalidProviderConfiguration', async (_what, spec, inputs, message) => {
  const error = await failureOf(source.resolve(git.object(spec), sourceInputs(inputs)));
  expect([error.reason, error.outcome]).toEqual(['InvalidProviderConfiguration', 'stall']);
  expect(error.message).toContain(message);
});

test('a refusal of the API, or a key that is none, is an authentication failure without the key in it', async () => {
  const bad = await failureOf(
    source.resolve(git.object(SPEC), sourceInputs(app({ githubAppPrivateKey: 'c4nary-no-key' }))),
  );
  expect([bad.reason, bad.message]).toEqual(['AuthenticationFailed', expect.not.stringContaining('c4nary')]);
  git.server.intercept = (_request, response) => {
    response.writeHead(401).end('{"message":"Bad credentials"}');
    return true;
  };
  const refused = await failureOf(source.resolve(git.object(SPEC), sourceInputs(app())));
  expect(refused.reason).toBe('AuthenticationFailed');
});
