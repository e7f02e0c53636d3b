import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Artifact } from '../../lib/core/artifact.ts';
import { createTar } from '../../lib/tar.ts';
import { failureOf, filesOf, type GitHarness, startGitHarness } from '../support/git-source.ts';

let git: GitHarness;
beforeAll(async () => {
  git = await startGitHarness();
});
afterAll(() => git.close());

const ARTIFACT: Artifact = {
  path: 'x',
  url: 'x',
  revision: 'main@sha1:1',
  digest: 'sha256:1',
  lastUpdateTime: '',
  size: 1,
};

/** An included artifact with these files. */
function included(repository: string, files: Record<string, string>) {
  const { archive } = createTar(
    Object.entries(files).map(([path, text]) => ({ path, data: Buffer.from(text) })),
  );
  return { repository, artifact: ARTIFACT, archive: async () => archive };
}

const LIB = included('lib', { 'base/x.yaml': 'x', 'base/deep/y.yaml': 'y', 'readme.md': 'r' });
const OWN = { 'a.yaml': 'a: 1\n', 'kustomization.yaml': 'resources: [a.yaml]\n' };

test.each([
  [{}, { 'lib/base/x.yaml': 'x', 'lib/base/deep/y.yaml': 'y', 'lib/readme.md': 'r' }],
  [
    { toPath: 'vendor/lib' },
    { 'vendor/lib/base/x.yaml': 'x', 'vendor/lib/base/deep/y.yaml': 'y', 'vendor/lib/readme.md': 'r' },
  ],
  [
    { fromPath: './base/', toPath: 'v' },
    { 'v/x.yaml': 'x', 'v/deep/y.yaml': 'y' },
  ],
  [{ fromPath: 'readme.md', toPath: 'docs/lib.md' }, { 'docs/lib.md': 'r' }],
])('%j brings %j', async (paths, files) => {
  const spec = { include: [{ repository: { name: 'lib' }, ...paths }] };
  expect(filesOf(await git.fetch(spec, { included: [LIB] }))).toEqual({ ...OWN, ...files });
});

test('several are copied in order, each with its own artifact', async () => {
  const other = included('other', { z: 'z' });
  const include = [{ repository: { name: 'lib' }, fromPath: 'base' }, { repository: { name: 'other' } }];
  const files = filesOf(await git.fetch({ include }, { included: [LIB, other] }));
  expect(files).toEqual({ ...OWN, 'lib/x.yaml': 'x', 'lib/deep/y.yaml': 'y', 'other/z': 'z' });
});

test('what comes in is ignored by the same rules', async () => {
  const noisy = included('noisy', { 'a.png': '1', 'b.yaml': '2', '.sourceignore': 'c\n', c: '3' });
  const include = [{ repository: { name: 'noisy' } }];
  const files = Object.keys(filesOf(await git.fetch({ include }, { included: [noisy] })));
  expect(files.filter((path) => path.startsWith('noisy'))).toEqual([
    'noisy/.sourceignore',
    'noisy/a.png',
    'noisy/b.yaml',
  ]);
});

test.each([
  [{ toPath: '../x' }, 'IllegalPath', 'leads out'],
  [{ toPath: 'a/../../x' }, 'IllegalPath', 'leads out'],
  [{ fromPath: '../x' }, 'IllegalPath', 'leads out'],
  [{ toPath: 'a.yaml' }, 'CopyFailure', 'already there'],
  [{ toPath: 'a.yaml/below' }, 'CopyFailure', 'already there'],
  [{ toPath: '.' }, 'CopyFailure', 'already there'],
  [{ fromPath: 'gone' }, 'CopyFailure', 'has nothing at "gone"'],
])('%j is refused with %s', async (paths, reason, message) => {
  const include = [{ repository: { name: 'lib' }, ...paths }];
  const error = await failureOf(git.fetch({ include }, { included: [LIB] }));
  expect([error.reason, error.message]).toEqual([reason, expect.stringContaining(message)]);
});

test('two includes for the same place are refused', async () => {
  const include = [{ repository: { name: 'lib' } }, { repository: { name: 'other' }, toPath: 'lib/base' }];
  const error = await failureOf(git.fetch({ include }, { included: [LIB, included('other', { z: 'z' })] }));
  expect(error.reason).toBe('CopyFailure');
});

test('an artifact that is not at hand is waited for', async () => {
  const error = await failureOf(git.fetch({ include: [{ repository: { name: 'lib' } }] }));
  expect([error.reason, error.outcome]).toEqual(['NotFound', 'wait']);
});

test('an artifact that is damaged is refused', async () => {
  const bad = { ...LIB, archive: async () => Buffer.alloc(2_000, 1) };
  const error = await failureOf(
    git.fetch({ include: [{ repository: { name: 'lib' } }] }, { included: [bad] }),
  );
  expect(error.message).toContain('invalid number in a header');
});
