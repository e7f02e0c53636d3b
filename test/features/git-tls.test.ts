import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Certificates, certificates } from '../support/certificates.ts';
import { type GitServer, startGitServer } from '../support/git-server.ts';
import { failureOf, filesOf, type GitHarness, startGitHarness, withSecret } from '../support/git-source.ts';

const SECRET = { secretRef: { name: 'tls' } };

let git: GitHarness;
let made: Certificates;
let open: GitServer;
/** Asks its clients for a certificate. */
let closed: GitServer;

beforeAll(async () => {
  git = await startGitHarness();
  made = await certificates();
  const tls = { key: made.server.key, cert: made.server.certificate };
  open = await startGitServer(tls);
  closed = await startGitServer({ ...tls, ca: made.ca, requestCert: true, rejectUnauthorized: true });
  for (const server of [open, closed]) server.add('repo.git', `${git.repository.directory}/.git`);
});
afterAll(async () => {
  await Promise.all([open.close(), closed.close(), git.close()]);
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
      withSecret({ [key]: made.ca }),
    );
    expect(filesOf(fetched)['a.yaml']).toBe('a: 1\n');
  },
);

test('a client certificate is shown when the secret has one', async () => {
  const url = `${closed.url}/repo.git`;
  await failureOf(git.fetch({ ...SECRET, url }, withSecret({ 'ca.crt': made.ca })));
  const secret = { 'ca.crt': made.ca, 'tls.crt': made.client.certificate, 'tls.key': made.client.key };
  expect(filesOf(await git.fetch({ ...SECRET, url }, withSecret(secret)))['a.yaml']).toBe('a: 1\n');
});

test('a redirect from https to http is not followed', async () => {
  open.intercept = (request, response) => {
    response.writeHead(301, { location: `${open.url.replace('https', 'http')}${request.url}` }).end();
    return true;
  };
  const secret = withSecret({ 'ca.crt': made.ca, username: 'ada', password: 'c4nary-pa55word' });
  const error = await failureOf(git.fetch({ ...SECRET, url: `${open.url}/repo.git` }, secret));
  expect(error.message).toContain('redirects to another server');
});
