import { createHash } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { createHttp, type Http } from '../../lib/http.ts';
import { createNetworkPolicy } from '../../lib/network.ts';
import type { SourceKind } from '../../lib/source/source.ts';
import type { GitRepository } from '../../lib/toolkit/git-repository.ts';
import { useGitea } from '../support/cluster.ts';
import { type GitServer, startGitServer } from '../support/git-server.ts';
import {
  failureOf,
  filesOf,
  type GitHarness,
  sourceInputs,
  startGitHarness,
  withSecret,
} from '../support/git-source.ts';

const CONTENT = 'kept elsewhere\n'.repeat(100);
const OID = createHash('sha256').update(CONTENT).digest('hex');
const POINTER = `version https://git-lfs.github.com/spec/v1\noid sha256:${OID}\nsize ${CONTENT.length}\n`;
const LOGIN = { secretRef: { name: 'login' } };

let git: GitHarness;
let http: Http;
let source: SourceKind<GitRepository>;
let elsewhere: GitServer;

beforeAll(async () => {
  git = await startGitHarness();
  elsewhere = await startGitServer();
  const policy = createNetworkPolicy({ allow: ['127.0.0.1'] });
  http = createHttp({ policy, timeoutMs: 10_000, maxBytes: 1_000_000, userAgent: 'test' });
  source = git.createSource({ http });
  await git.repository.commit({
    '.gitattributes': '*.bin filter=lfs diff=lfs merge=lfs -text\n',
    'big.bin': POINTER,
  });
});
afterAll(async () => {
  await http.close();
  await elsewhere.close();
  await git.close();
});
beforeEach(() => {
  git.server.intercept = undefined;
  git.server.credentials = undefined;
  elsewhere.requests.length = 0;
});

const fetch = (spec: Record<string, unknown> = {}, inputs = {}) =>
  source.fetch(git.object(spec), undefined, sourceInputs(inputs));

/** Answers like an LFS server that sends us to `href`, where `content` lies. */
function serveLfs(href: string, content: string, header: Record<string, string> = {}): void {
  git.server.intercept = (request, response) => {
    if (request.url === '/repo.git/info/lfs/objects/batch') {
      const answer = {
        transfer: 'basic',
        objects: [{ oid: OID, size: CONTENT.length, actions: { download: { href, header } } }],
      };
      response.writeHead(200, { 'content-type': 'application/vnd.git-lfs+json' }).end(JSON.stringify(answer));
      return true;
    }
    if (request.url !== '/files/x') return false;
    response.writeHead(200).end(content);
    return true;
  };
}

test('files kept in LFS come with their contents, from a real Gitea', async () => {
  const gitea = await useGitea();
  // Gitea itself puts a file into LFS that is written over its API and has the attribute.
  const files = { '.gitattributes': '*.bin filter=lfs\n', 'big.bin': CONTENT, 'a.yaml': 'a' };
  const repository = await gitea.createRepository('git-lfs', { files });
  const spec = { ...LOGIN, url: repository.url };
  const inputs = withSecret({ username: gitea.admin.user, password: gitea.admin.token });
  expect(filesOf(await git.fetch(spec, inputs))['big.bin']).toBe(POINTER);
  expect(filesOf(await fetch(spec, inputs))).toEqual({ 'a.yaml': 'a', 'big.bin': CONTENT });
  await repository.delete();
});

test('the credential goes to the Git server, and not to a storage elsewhere', async () => {
  git.server.credentials = { username: 'ada', password: 'c4nary-pa55word' };
  elsewhere.intercept = (_request, response) => {
    response.writeHead(200).end(CONTENT);
    return true;
  };
  serveLfs(`${elsewhere.url}/files/x`, '', { Authorization: 'Bearer for-the-storage' });
  const inputs = withSecret({ username: 'ada', password: 'c4nary-pa55word' });
  expect(filesOf(await fetch(LOGIN, inputs))['big.bin']).toBe(CONTENT);
  expect(elsewhere.requests.map(({ authorization }) => authorization)).toEqual(['Bearer for-the-storage']);
  serveLfs(`${elsewhere.url}/files/x`, '');
  await fetch(LOGIN, inputs);
  expect(elsewhere.requests.at(-1)?.authorization).toBeUndefined();
});

test.each([
  ['other contents', CONTENT.replace('k', 'K'), 'came with other contents'],
  ['contents that are too short', 'short', 'came with other contents'],
  ['contents that are too long', `${CONTENT}x`, 'big'],
])('%s are refused', async (_what, content, message) => {
  serveLfs(`${git.server.url}/files/x`, content);
  const error = await failureOf(fetch());
  expect(error.reason).toBe('GitOperationFailed');
  if (message !== 'big') expect(error.message).toContain(message);
});

test.each(['file:///etc/passwd', 'http://169.254.169.254/latest', 'ftp://x/y', 'nonsense'])(
  '%s is not fetched',
  async (href) => {
    serveLfs(href, CONTENT);
    expect((await failureOf(fetch())).message).toContain('cannot fetch files of Git LFS');
  },
);

test('a server without LFS gives an error, and a file that is not there is named', async () => {
  git.server.intercept = (request, response) => {
    if (!request.url?.includes('/info/lfs')) return false;
    response.writeHead(404).end();
    return true;
  };
  expect((await failureOf(fetch())).message).toContain('answers 404 to a request for LFS files');
  git.server.intercept = (request, response) => {
    if (!request.url?.includes('/info/lfs')) return false;
    const objects = [{ oid: OID, size: 1, error: { code: 404, message: 'not here' } }];
    response.writeHead(200).end(JSON.stringify({ objects }));
    return true;
  };
  expect((await failureOf(fetch())).message).toContain(`has no file ${OID}: not here (404)`);
});

test('files that are ignored are not fetched, and without attributes a pointer is a file like others', async () => {
  expect(Object.keys(filesOf(await fetch({ ignore: '*.bin\n' })))).not.toContain('big.bin');
  await git.repository.git(['checkout', '--quiet', '-b', 'plain']);
  await git.repository.commit({ '.gitattributes': null });
  await git.repository.git(['checkout', '--quiet', 'main']);
  expect(filesOf(await fetch({ ref: { branch: 'plain' } }))['big.bin']).toBe(POINTER);
});
