import { afterAll, beforeAll, expect, test } from 'vitest';
import { failureOf, filesOf, type GitHarness, sourceInputs, startGitHarness } from '../support/git-source.ts';

let git: GitHarness;
let first: string;
let second: string;

beforeAll(async () => {
  git = await startGitHarness();
  first = await git.repository.git(['rev-parse', 'HEAD']);
  await git.repository.git(['tag', 'v1.0.0']);
  second = await git.repository.commit({ 'a.yaml': 'a: 2\n' }, 'second\n\nwith a body');
  await git.repository.git(['tag', '-a', '-m', 'release', 'v1.1.0']);
  await git.repository.git(['tag', 'v2.0.0-rc.1']);
  await git.repository.git(['update-ref', 'refs/pull/7/head', first]);
});
afterAll(() => git.close());

test.each([
  [{ branch: 'main' }, () => `main@sha1:${second}`],
  [{ tag: 'v1.0.0' }, () => `v1.0.0@sha1:${first}`],
  [{ tag: 'v1.1.0' }, () => `v1.1.0@sha1:${second}`],
  [{ semver: '1.0.x' }, () => `v1.0.0@sha1:${first}`],
  [{ semver: '>=1.0.0' }, () => `v1.1.0@sha1:${second}`],
  [{ name: 'refs/pull/7/head' }, () => `refs/pull/7/head@sha1:${first}`],
])('%j is resolved and fetched', async (ref, revision) => {
  const fetched = await git.fetch({ ref });
  expect(fetched.revision).toBe(revision());
  expect(filesOf(fetched)['a.yaml']).toBe(revision().endsWith(first) ? 'a: 1\n' : 'a: 2\n');
});

test('a commit is fetched by its id, without asking for refs', async () => {
  git.server.requests.length = 0;
  expect(await git.source.resolve(git.object({ ref: { commit: first } }), sourceInputs())).toBe(
    `sha1:${first}`,
  );
  expect(git.server.requests).toEqual([]);
  expect(filesOf(await git.fetch({ ref: { commit: first, branch: 'main' } }))['a.yaml']).toBe('a: 1\n');
});

test('who made the commit is told, with the first line of its message', async () => {
  expect((await git.fetch()).commit).toEqual({
    hash: second,
    author: 'Ada <ada@example.com>',
    committer: 'Grace <grace@example.com>',
    subject: 'second',
  });
});

test('executable files stay so, and links are left out as in Flux artifacts', async () => {
  await git.repository.git(['checkout', '--quiet', '-b', 'modes', 'main']);
  await git.repository.commit({ 'run.sh': { executable: 'x' }, link: { link: 'a.yaml' } });
  await git.repository.git(['checkout', '--quiet', 'main']);
  expect(Object.keys(filesOf(await git.fetch({ ref: { branch: 'modes' } })))).toEqual([
    'a.yaml',
    'kustomization.yaml',
    'run.sh',
  ]);
});

test('a force-push is followed, also back to where the branch was', async () => {
  const branch = { ref: { branch: 'forced' } };
  const at = async (commit: string) => {
    await git.repository.git(['update-ref', 'refs/heads/forced', commit]);
    return git.fetch(branch);
  };
  await git.repository.git(['checkout', '--quiet', '--orphan', 'other-line']);
  const other = await git.repository.commit({ 'a.yaml': 'other\n' });
  await git.repository.git(['checkout', '--quiet', 'main']);
  const results = [await at(second), await at(other), await at(second), await at(first)];
  expect(results.map((fetched) => [fetched.revision, filesOf(fetched)['a.yaml']])).toEqual([
    [`forced@sha1:${second}`, 'a: 2\n'],
    [`forced@sha1:${other}`, 'other\n'],
    [`forced@sha1:${second}`, 'a: 2\n'],
    [`forced@sha1:${first}`, 'a: 1\n'],
  ]);
});

test.each([
  [{ branch: 'gone' }, 'has no refs/heads/gone'],
  [{ tag: 'main' }, 'has no refs/tags/main'],
  [{ semver: '>=9' }, 'has no tag in the range >=9'],
  [{ name: 'refs/heads/ma' }, 'has no refs/heads/ma'],
])('%j is not there: the error says so and is tried again', async (ref, message) => {
  const error = await failureOf(git.fetch({ ref }));
  expect(error.message).toContain(message);
  expect([error.reason, error.outcome]).toEqual(['GitOperationFailed', 'retry']);
});

test('a commit that the server does not have gives an error that names it', async () => {
  const commit = '1234567890'.repeat(4);
  const error = await failureOf(git.fetch({ ref: { commit } }));
  expect(error.message).toContain(`has no commit ${commit}`);
});

test.each([
  [{ branch: '../../config' }, 'spec.ref.branch'],
  [{ branch: 'a@{1}' }, 'spec.ref.branch'],
  [{ name: '--upload-pack=touch /tmp/pwned' }, 'spec.ref.name'],
  [{ tag: 'x'.repeat(4_096) }, 'spec.ref.tag'],
])('the odd ref %j never reaches Git', async (ref, message) => {
  git.server.requests.length = 0;
  const error = await failureOf(git.fetch({ ref }));
  expect(error.message).toContain(message);
  expect(error.outcome).toBe('stall');
  expect(git.server.requests).toEqual([]);
});

test('a repository without commits has its own reason', async () => {
  const empty = await startGitHarness();
  await empty.repository.git(['update-ref', '-d', 'refs/heads/main']);
  expect((await failureOf(empty.fetch())).reason).toBe('EmptyGitRepository');
  await empty.close();
});

test('a repository that does not exist is told apart from one that needs a login', async () => {
  const error = await failureOf(git.fetch({ url: `${git.server.url}/none.git` }));
  expect([error.reason, error.message]).toEqual([
    'GitOperationFailed',
    expect.stringContaining('there is no such repository, or the credentials may not see it'),
  ]);
});
