import { afterAll, beforeAll, expect, test } from 'vitest';
import { run } from '../../lib/exec.ts';
import { failureOf, filesOf, type GitHarness, startGitHarness } from '../support/git-source.ts';

let git: GitHarness;
let received = 0;

beforeAll(async () => {
  git = await startGitHarness();
  const noise = await run('head', ['-c', '2000000', '/dev/urandom']);
  await git.repository.commit({
    'apps/web/x.yaml': 'web',
    'apps/api/y.yaml': 'api',
    'apps-old/z.yaml': 'old',
    'images/noise': noise.stdout,
    'top.yaml': 'top',
  });
  git.server.tamper = (chunk) => {
    received += chunk.length;
    return chunk;
  };
});
afterAll(() => git.close());

test.each([
  [['apps'], ['apps/api/y.yaml', 'apps/web/x.yaml']],
  [['./apps/web/'], ['apps/web/x.yaml']],
  [
    ['apps/web', 'apps-old'],
    ['apps-old/z.yaml', 'apps/web/x.yaml'],
  ],
  [['top.yaml'], ['top.yaml']],
])('only %j is in the artifact', async (sparseCheckout, paths) => {
  expect(Object.keys(filesOf(await git.fetch({ sparseCheckout })))).toEqual(paths);
});

test('the contents of other files are not even fetched', async () => {
  received = 0;
  await git.repository.commit({ 'apps/web/x.yaml': 'web 2' });
  expect(filesOf(await git.fetch({ sparseCheckout: ['apps'] }))['apps/web/x.yaml']).toBe('web 2');
  expect(received).toBeLessThan(100_000);
});

test('the root is everything', async () => {
  expect(Object.keys(filesOf(await git.fetch({ sparseCheckout: ['.'] })))).toHaveLength(7);
});

test('a directory that does not exist is an error, not an empty artifact', async () => {
  const error = await failureOf(git.fetch({ sparseCheckout: ['apps', 'app'] }));
  expect([error.reason, error.message]).toEqual(['GitOperationFailed', expect.stringContaining('"app"')]);
});

test.each(['../sibling.yaml', 'apps/../../x', '..'])(
  '%s does not lead out of the repository',
  async (path) => {
    expect((await failureOf(git.fetch({ sparseCheckout: [path] }))).message).toContain(
      'leads out of the repository',
    );
  },
);
