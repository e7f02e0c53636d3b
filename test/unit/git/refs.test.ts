import fc from 'fast-check';
import { expect, test } from 'vitest';
import { run } from '../../../lib/exec.ts';
import { isRefName, parseRefs } from '../../../lib/git/refs.ts';

const A = 'a'.repeat(40);
const B = 'b'.repeat(40);

test('refs are read with the commit behind annotated tags', () => {
  const refs = parseRefs(`${A}\trefs/heads/main\n${A}\trefs/tags/v1\n${B}\trefs/tags/v1^{}\n`);
  expect(refs.get('refs/heads/main')).toEqual({ name: 'refs/heads/main', id: A, commit: A });
  expect(refs.get('refs/tags/v1')).toEqual({ name: 'refs/tags/v1', id: A, commit: B });
  expect(refs.size).toBe(2);
});

test('commits of SHA-256 repositories are read, and lines that are no refs left out', () => {
  const long = 'c'.repeat(64);
  expect([
    ...parseRefs(`warning: x\n${long}\trefs/heads/main\nref: refs/heads/main\tHEAD\n`).values(),
  ]).toEqual([{ name: 'refs/heads/main', id: long, commit: long }]);
});

test.each([
  'refs/heads/main',
  'refs/heads/feature/x',
  'refs/pull/420/head',
  'refs/merge-requests/1/head',
  'refs/tags/v1.0.0+build',
  'refs/heads/dependabot/npm_and_yarn/@types/node-1',
  'refs/heads/ünicode',
])('%s is a ref', (name) => {
  expect(isRefName(name)).toBe(true);
});

test.each([
  'main',
  '',
  'refs/heads/',
  '/refs/heads/main',
  'refs/heads/../../config',
  'refs//heads',
  'refs/heads/a..b',
  'refs/heads/a b',
  'refs/heads/a~1',
  'refs/heads/a^',
  'refs/heads/a:b',
  'refs/heads/*',
  'refs/heads/a?',
  'refs/heads/a[b',
  'refs/heads/a\\b',
  'refs/heads/@{upstream}',
  'refs/heads/.hidden',
  'refs/heads/x.lock',
  'refs/heads/x.lock/y',
  'refs/heads/end.',
  'refs/heads/line\nbreak',
  'refs/heads/nul\u0000',
  '-refs/heads/x',
  `refs/heads/${'x'.repeat(4_096)}`,
])('%j is none', (name) => {
  expect(isRefName(name)).toBe(false);
});

test('nothing is called a ref that Git itself would refuse', async () => {
  const names = fc.sample(
    fc
      .array(
        fc.string({ unit: fc.constantFrom(...'ab./@{}~^:?*[\\ -\u007f\tlock'), minLength: 1, maxLength: 5 }),
        { maxLength: 4 },
      )
      .map((parts) => ['refs', ...parts].join('/'))
      .filter(isRefName),
    60,
  );
  for (const name of names)
    expect([name, (await run('git', ['check-ref-format', name])).code]).toEqual([name, 0]);
});
