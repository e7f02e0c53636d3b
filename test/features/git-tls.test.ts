import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { run } from '../../lib/exec.ts';
import { type GitServer, startGitServer } from '../support/git-server.ts';
import { failureOf, filesOf, type GitHarness, startGitHarness, withSecret } from '../support/git-source.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';

const SECRET = { secretRef: { name: 'tls' } };

let git: GitHarness;
let keys: Awaited<ReturnType<typeof temporaryDirectory>>;
let open: GitServer;
/** Asks its clients for a certificate. */
let closed: GitServer;

const pem = (name: string) => readFileSync(join(keys.path, name), 'utf8');

async function openssl(...args: string[]): Promise<void> {
  const { code, stderr } = await run('openssl', args, { cwd: keys.path });
  if (code !== 0) throw new Error(stderr);
}

/** A key and a certificate signed by our own authority. */
async function issue(name: string): Promise<void> {
  await openssl(
    'req',
    '-newkey',
    'rsa:2048',
    '-nodes',
    '-keyout',
    `${name}.key`,
    '-out',
    `${name}.csr`,
    '-subj',
    `/CN=${name}`,
  );
  writeFileSync(join(keys.path, 'san'), 'subjectAltName=IP:127.0.0.1');
  const authority = ['-CA', 'ca.crt', '-CAkey', 'ca.key', '-CAcreateserial'];
  await openssl(
    'x509',
    '-req',
    '-in',
    `${name}.csr`,
    ...authority,
    '-days',
    '2',
    '-extfile',
    'san',
    '-out',
    `${name}.crt`,
  );
}

beforeAll(async () => {
  git = await startGitHarness();
  keys = await temporaryDirectory();
  await openssl(
    'req',
    '-x509',
    '-newkey',
    'rsa:2048',
    '-nodes',
    '-days',
    '2',
    '-subj',
    '/CN=Test CA',
    '-keyout',
    'ca.key',
    '-out',
    'ca.crt',
  );
  await issue('server');
  await issue('client');
  const tls = { key: pem('server.key'), cert: pem('server.crt') };
  open = await startGitServer(tls);
  closed = await startGitServer({ ...tls, ca: pem('ca.crt'), requestCert: true, rejectUnauthorized: true });
  for (const server of [open, closed]) server.add('repo.git', `${git.repository.directory}/.git`);
});
afterAll(async () => {
  await Promise.all([open.close(), closed.close(), git.close()]);
  await keys.remove();
});

test('a certificate of an unknown authority is not trusted, and the error says where to put it', async () => {
  const error = await failureOf(git.fetch({ url: `${open.url}/repo.git` }));
  expect(error.message).toMatch(/certificate is not trusted.*ca\.crt/);
  expect(open.requests).toEqual([]);
});

test.each(['ca.crt', 'caFile'])(
  'it is trusted when the authority stands in the secret as %s',
  async (key) => {
    const fetched = await git.fetch(
      { ...SECRET, url: `${open.url}/repo.git` },
      withSecret({ [key]: pem('ca.crt') }),
    );
    expect(filesOf(fetched)['a.yaml']).toBe('a: 1\n');
  },
);

test('a client certificate is shown when the secret has one', async () => {
  const url = `${closed.url}/repo.git`;
  await failureOf(git.fetch({ ...SECRET, url }, withSecret({ 'ca.crt': pem('ca.crt') })));
  const secret = { 'ca.crt': pem('ca.crt'), 'tls.crt': pem('client.crt'), 'tls.key': pem('client.key') };
  expect(filesOf(await git.fetch({ ...SECRET, url }, withSecret(secret)))['a.yaml']).toBe('a: 1\n');
});

test('a redirect from https to http is not followed', async () => {
  open.intercept = (request, response) => {
    response.writeHead(301, { location: `${open.url.replace('https', 'http')}${request.url}` }).end();
    return true;
  };
  const secret = withSecret({ 'ca.crt': pem('ca.crt'), username: 'ada', password: 'c4nary-pa55word' });
  const error = await failureOf(git.fetch({ ...SECRET, url: `${open.url}/repo.git` }, secret));
  expect(error.message).toContain('redirects to another server');
});
