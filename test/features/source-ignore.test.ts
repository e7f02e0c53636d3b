import { afterAll, beforeAll, expect, test } from 'vitest';
import { filesOf, type GitHarness, startGitHarness } from '../support/git-source.ts';

let git: GitHarness;
beforeAll(async () => {
  git = await startGitHarness();
  await git.repository.commit({
    '.gitignore': 'x',
    '.github/workflows/ci.yaml': 'x',
    '.sops.yaml': 'x',
    'logo.png': 'x',
    'docs/guide.md': 'x',
    'deploy/app.yaml': 'x',
  });
  await git.repository.git(['checkout', '--quiet', '-b', 'own-rules']);
  await git.repository.commit({
    '.sourceignore': '/docs/\n',
    'deploy/.sourceignore': 'secret.*\n',
    'deploy/secret.yaml': 'x',
    'secret.yaml': 'x',
  });
});
afterAll(() => git.close());

const paths = async (spec: Record<string, unknown>) => Object.keys(filesOf(await git.fetch(spec)));
const ALWAYS = ['a.yaml', 'deploy/app.yaml'];

test('by default what is of no use to a cluster stays out', async () => {
  expect(await paths({})).toEqual([...ALWAYS, 'docs/guide.md', 'kustomization.yaml']);
});

test('.sourceignore files of the repository replace the defaults', async () => {
  expect(await paths({ ref: { branch: 'own-rules' } })).toEqual([
    ...[
      '.github/workflows/ci.yaml',
      '.sops.yaml',
      '.sourceignore',
      'a.yaml',
      'deploy/.sourceignore',
      'deploy/app.yaml',
    ],
    ...['kustomization.yaml', 'logo.png', 'secret.yaml'],
  ]);
});

test('spec.ignore has the last word', async () => {
  expect(await paths({ ignore: '/*\n!/deploy\n' })).toEqual(['deploy/app.yaml']);
  expect(await paths({ ref: { branch: 'own-rules' }, ignore: '/*\n!/docs\n!/deploy/secret.yaml\n' })).toEqual(
    ['deploy/secret.yaml', 'docs/guide.md'],
  );
});

test('a tree of which nothing is left is an empty artifact', async () => {
  expect(await paths({ ignore: '*\n' })).toEqual([]);
});
