import { writeFileSync } from 'node:fs';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { createTestRepository, type TestRepository } from '../support/git-repository-builder.ts';
import { type GitServer, startGitServer } from '../support/git-server.ts';
import { failureOf, filesOf, type GitHarness, startGitHarness, withSecret } from '../support/git-source.ts';

let git: GitHarness;
let inner: TestRepository;
let innerCommit: string;
let elsewhere: GitServer;

beforeEach(async () => {
  git = await startGitHarness();
  inner = await createTestRepository();
  innerCommit = await inner.commit({ 'inner.yaml': 'inner: 1\n', 'dir/deep.yaml': 'deep' });
  await inner.commit({ 'inner.yaml': 'inner: newer\n' });
  git.server.add('inner.git', `${inner.directory}/.git`);
  elsewhere = await startGitServer();
  elsewhere.add('inner.git', `${inner.directory}/.git`);
});
afterEach(async () => {
  await git.close();
  await elsewhere.close();
  inner.remove();
});

/** Commits a submodule without checking it out. */
async function addSubmodule(
  repository: TestRepository,
  path: string,
  url: string,
  commit: string,
  name = path,
): Promise<string> {
  const known = await repository.git(['show', 'HEAD:.gitmodules']).catch(() => '');
  const section = `[submodule "${name}"]\n\tpath = ${path}\n\turl = ${url}\n`;
  await repository.git(['config', 'advice.addEmbeddedRepo', 'false']);
  writeFileSync(`${repository.directory}/.gitmodules`, `${known}\n${section}`);
  await repository.git(['add', '.gitmodules']);
  await repository.git(['update-index', '--add', '--cacheinfo', `160000,${commit},${path}`]);
  await repository.git(['commit', '--quiet', '--message=submodule']);
  return repository.git(['rev-parse', 'HEAD']);
}

const WITH = { recurseSubmodules: true };

test('submodules are left out by default, and nobody is asked for them', async () => {
  await addSubmodule(git.repository, 'sub', `${elsewhere.url}/inner.git`, innerCommit);
  expect(Object.keys(filesOf(await git.fetch()))).toEqual(['a.yaml', 'kustomization.yaml']);
  expect(elsewhere.requests).toEqual([]);
});

test('with recurseSubmodules they come at the commit that is recorded, not the newest', async () => {
  await addSubmodule(git.repository, 'sub/module', '../inner.git', innerCommit);
  const files = filesOf(await git.fetch(WITH));
  expect(files['sub/module/inner.yaml']).toBe('inner: 1\n');
  expect(files['sub/module/dir/deep.yaml']).toBe('deep');
});

test('submodules within submodules come too', async () => {
  const middle = await createTestRepository();
  await middle.commit({ 'middle.yaml': 'middle' });
  const middleCommit = await addSubmodule(middle, 'low', '../inner.git', innerCommit);
  git.server.add('middle.git', `${middle.directory}/.git`);
  await addSubmodule(git.repository, 'high', `${git.server.url}/middle.git`, middleCommit);
  const files = filesOf(await git.fetch(WITH));
  expect([files['high/middle.yaml'], files['high/low/inner.yaml']]).toEqual(['middle', 'inner: 1\n']);
  middle.remove();
});

test('the credential goes to the same server only', async () => {
  git.server.credentials = { username: 'ada', password: 'c4nary-pa55word' };
  await addSubmodule(git.repository, 'own', '../inner.git', innerCommit);
  await addSubmodule(git.repository, 'foreign', `${elsewhere.url}/inner.git`, innerCommit);
  const spec = { ...WITH, secretRef: { name: 'login' } };
  const files = filesOf(await git.fetch(spec, withSecret({ username: 'ada', password: 'c4nary-pa55word' })));
  expect([files['own/inner.yaml'], files['foreign/inner.yaml']]).toEqual(['inner: 1\n', 'inner: 1\n']);
  expect(elsewhere.requests.length).toBeGreaterThan(0);
  expect(elsewhere.requests.every(({ authorization }) => authorization === undefined)).toBe(true);
});

test.each([
  'file:///etc',
  'ext::sh -c x',
  '--upload-pack=x',
  '/etc/passwd-repo',
  'git@host:x',
  '../../../../etc',
])('the URL %s is refused', async (url) => {
  await addSubmodule(git.repository, 'sub', url, innerCommit);
  const error = await failureOf(git.fetch(WITH));
  expect(error.message).toContain('GitRepository/apps/repo');
});

test('a submodule without URL, or with a commit that is gone, is an error', async () => {
  await addSubmodule(git.repository, 'sub', '../inner.git', '1234567890'.repeat(4));
  expect((await failureOf(git.fetch(WITH))).message).toContain('has no commit 1234567890');
  await git.repository.commit({ '.gitmodules': '' });
  await git.repository.git(['update-index', '--add', '--cacheinfo', `160000,${innerCommit},sub`]);
  await git.repository.git(['commit', '--quiet', '--message=x', '--allow-empty']);
  expect((await failureOf(git.fetch(WITH))).message).toContain('the submodule sub has no URL');
});

test('a repository that contains itself ends', async () => {
  const head = await git.repository.git(['rev-parse', 'HEAD']);
  await addSubmodule(git.repository, 'self', '../repo.git', head);
  expect(filesOf(await git.fetch(WITH))['self/a.yaml']).toBe('a: 1\n');
});

test('submodules without end are cut off', async () => {
  const chain = await createTestRepository();
  git.server.add('chain.git', `${chain.directory}/.git`);
  let commit = await chain.commit({ x: 'x' });
  for (let depth = 0; depth < 12; depth += 1) {
    await chain.git(['rm', '--cached', '--quiet', '-r', '--ignore-unmatch', 's']);
    await chain.commit({ '.gitmodules': null });
    commit = await addSubmodule(chain, 's', '../chain.git', commit);
  }
  await addSubmodule(git.repository, 'chain', '../chain.git', commit);
  expect((await failureOf(git.fetch(WITH))).message).toContain('more than 10 deep');
  chain.remove();
});

test('files of submodules are ignored by the same rules', async () => {
  await addSubmodule(git.repository, 'sub', '../inner.git', innerCommit);
  const files = filesOf(await git.fetch({ ...WITH, ignore: '/sub/dir\n' }));
  expect(Object.keys(files)).toEqual(['a.yaml', 'kustomization.yaml', 'sub/inner.yaml']);
});
