import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { type RunOptions, run } from '../../lib/exec.ts';
import { type GitServer, startGitServer } from '../support/git-server.ts';
import {
  failureOf,
  filesOf,
  type GitHarness,
  sourceInputs,
  startGitHarness,
  withSecret,
} from '../support/git-source.ts';

const CANARY = 'c4nary-pa55word';
const SECRET = { secretRef: { name: 'login' } };

let git: GitHarness;
let other: GitServer;

beforeEach(async () => {
  git = await startGitHarness();
  other = await startGitServer();
  other.add('repo.git', `${git.repository.directory}/.git`);
});
afterEach(async () => {
  await git.close();
  await other.close();
});

/** Every file below a directory, as text. */
function everything(directory: string): string {
  return readdirSync(directory)
    .map((name) => join(directory, name))
    .map((path) => (statSync(path).isDirectory() ? everything(path) : readFileSync(path, 'latin1')))
    .join('\n');
}

test('user and password are sent with the first request', async () => {
  git.server.credentials = { username: 'ada', password: CANARY };
  expect(filesOf(await git.fetch(SECRET, withSecret({ username: 'ada', password: CANARY })))['a.yaml']).toBe(
    'a: 1\n',
  );
  expect(git.server.requests.every(({ authorization }) => authorization !== undefined)).toBe(true);
});

test('a bearer token is sent', async () => {
  git.server.credentials = { bearer: CANARY };
  await git.fetch(SECRET, withSecret({ bearerToken: CANARY }));
  expect(git.server.requests[0]?.authorization).toBe(`Bearer ${CANARY}`);
});

test('credentials of the fleet file serve a root source, and the object’s own secret goes before them', async () => {
  git.server.credentials = { username: 'fleet', password: CANARY };
  const fleetCredentials = async () => ({ username: 'fleet', password: CANARY });
  await git.fetch({}, { fleetCredentials });
  const own = { ...withSecret({ username: 'own', password: 'wrong' }), fleetCredentials };
  expect((await failureOf(git.fetch(SECRET, own))).reason).toBe('AuthenticationFailed');
});

test('user and password of the URL are used, and not shown', async () => {
  git.server.credentials = { username: 'ada', password: CANARY };
  const url = (word: string) => git.url.replace('http://', `http://ada:${word}@`);
  await git.fetch({ url: url(CANARY) });
  const error = await failureOf(git.fetch({ url: url('wrong-pa55word') }));
  expect(error.message).not.toContain('wrong-pa55word');
});

test.each([
  ['no secret', {}, {}],
  ['a wrong password', SECRET, withSecret({ username: 'ada', password: 'wrong' })],
])('with %s the reason is AuthenticationFailed, which is tried again', async (_name, spec, inputs) => {
  git.server.credentials = { username: 'ada', password: CANARY };
  const error = await failureOf(git.fetch(spec, inputs));
  expect([error.reason, error.outcome]).toEqual(['AuthenticationFailed', 'retry']);
  expect(error.message).toContain('GitRepository/apps/repo');
});

test('a secret that is missing or incomplete is an authentication failure', async () => {
  expect((await failureOf(git.fetch(SECRET))).reason).toBe('AuthenticationFailed');
  const error = await failureOf(git.fetch(SECRET, withSecret({ password: CANARY })));
  expect(error.message).toContain('username');
});

test('no credential stands in arguments or environment of a child, nor in a file afterwards', async () => {
  git.server.credentials = { username: 'ada', password: CANARY };
  const pair = Buffer.from(`ada:${CANARY}`).toString('base64');
  const seen: string[] = [];
  const spying = (command: string, args: readonly string[], options?: RunOptions) => {
    seen.push(JSON.stringify([command, args, options?.env, String(options?.stdin ?? '')]));
    return run(command, args, options);
  };
  const inputs = sourceInputs(withSecret({ username: 'ada', password: CANARY }));
  await git.createSource({ run: spying }).fetch(git.object(SECRET), undefined, inputs);
  expect(seen.length).toBeGreaterThan(2);
  for (const text of [...seen, everything(git.directory)]) {
    expect(text).not.toContain(CANARY);
    expect(text).not.toContain(pair);
  }
  expect(readdirSync(git.directory)).toEqual(['mirrors']);
});

test('while a fetch hangs, the credential can be found in no file of the temporary directory', async () => {
  let during = '';
  git.server.intercept = (_request, response) => {
    during = everything(git.directory);
    response.writeHead(500).end();
    return true;
  };
  await failureOf(git.fetch(SECRET, withSecret({ username: 'ada', password: CANARY })));
  expect(git.server.requests.length).toBeGreaterThan(0);
  expect(during).not.toContain(Buffer.from(`ada:${CANARY}`).toString('base64'));
});

test('a redirect to another server is refused, and that server never hears from us', async () => {
  git.server.intercept = (request, response) => {
    response.writeHead(301, { location: `${other.url}${request.url}` }).end();
    return true;
  };
  const error = await failureOf(git.fetch(SECRET, withSecret({ username: 'ada', password: CANARY })));
  expect(error.message).toContain('redirects to another server');
  expect(error.message).toContain(`${other.url}/repo.git`);
  expect(other.requests).toEqual([]);
});

test('a redirect in the middle of a fetch is refused as well', async () => {
  git.server.intercept = (request, response) => {
    if (request.method !== 'POST') return false;
    response.writeHead(307, { location: `${other.url}${request.url}` }).end();
    return true;
  };
  await failureOf(git.fetch(SECRET, withSecret({ username: 'ada', password: CANARY })));
  expect(other.requests).toEqual([]);
});

test('a redirect on the same server is followed: repositories get renamed', async () => {
  git.server.credentials = { username: 'ada', password: CANARY };
  git.server.intercept = (request, response) => {
    if (!request.url?.startsWith('/old.git/')) return false;
    response.writeHead(301, { location: request.url.replace('/old.git', '/repo.git') }).end();
    return true;
  };
  const spec = { ...SECRET, url: `${git.server.url}/old.git` };
  expect(filesOf(await git.fetch(spec, withSecret({ username: 'ada', password: CANARY })))['a.yaml']).toBe(
    'a: 1\n',
  );
});

test('redirects without end are given up', async () => {
  let hop = 0;
  git.server.intercept = (_request, response) => {
    hop += 1;
    response.writeHead(302, { location: `/r${hop}.git/info/refs?service=git-upload-pack` }).end();
    return true;
  };
  expect((await failureOf(git.fetch())).message).toContain('redirects');
  expect(hop).toBeLessThan(20);
});

test.each(['file:///etc', 'ext::sh', '--upload-pack=x', 'https://other/\nx'])(
  'a redirect to %j is refused',
  async (location) => {
    git.server.intercept = (_request, response) => {
      response
        .writeHead(301, { location: `${location.replace('\n', '%0a')}/info/refs?service=git-upload-pack` })
        .end();
      return true;
    };
    await failureOf(git.fetch());
    expect(other.requests).toEqual([]);
  },
);

test('a host that the network policy refuses is not dialled', async () => {
  const policy = { check: () => Promise.reject(new Error('127.0.0.1 is a private address')) };
  const source = git.createSource({ policy });
  const error = await failureOf(source.resolve(git.object(), sourceInputs()));
  expect(error.message).toContain('private address');
  expect(git.server.requests).toEqual([]);
});

test('the address that was checked is the one that is dialled', async () => {
  const checked: string[] = [];
  const policy = {
    check: async (host: string) => {
      checked.push(host);
      return [{ address: '127.0.0.1', family: 4 as const }];
    },
  };
  const url = git.url.replace('127.0.0.1', 'git.invalid');
  const source = git.createSource({ policy });
  expect(await source.resolve(git.object({ url }), sourceInputs())).toMatch(/^main@sha1:/);
  expect(checked).toEqual(['git.invalid']);
});

test('a proxy is used when the object names one', async () => {
  const error = await failureOf(
    git.fetch(
      { proxySecretRef: { name: 'proxy' } },
      withSecret({ address: 'http://127.0.0.1:9', password: CANARY, username: 'p' }),
    ),
  );
  expect(error.message).not.toContain(CANARY);
  expect(git.server.requests).toEqual([]);
  git.server.intercept = undefined;
  await git.fetch({ proxySecretRef: { name: 'proxy' } }, withSecret({ address: git.server.url }));
  expect(git.server.requests[0]?.path).toMatch(/^http:\/\/127\.0\.0\.1/);
});
