import { expect, test } from 'vitest';
import { createIgnore } from '../../../lib/source/ignore.ts';

/** What is left of the paths. */
function kept(paths: readonly string[], spec?: string, files: Record<string, string> = {}): string[] {
  const ignoreFiles = Object.entries(files).map(([directory, text]) => ({ directory, text }));
  const isIgnored = createIgnore(ignoreFiles, spec);
  return paths.filter((path) => !isIgnored(path));
}

test('by default pictures, archives, settings of CI systems and of version control are left out', () => {
  const out = [
    ...[
      '.gitignore',
      'a/.gitattributes',
      '.gitmodules',
      '.github/workflows/ci.yaml',
      '.circleci/config.yml',
      'a/.travis.yml',
    ],
    ...[
      '.gitlab-ci.yml',
      'appveyor.yml',
      '.drone.yml',
      'cloudbuild.yaml',
      'logo.png',
      'docs/a.jpeg',
      'x.tar.gz',
      'y/z.zip',
    ],
    ...['.goreleaser.yml', '.sops.yaml', 'clusters/prod/.sops.yaml', '.flux.yaml'],
  ];
  const left = ['kustomization.yaml', 'README.md', '.sourceignore', 'png', 'sops.yaml', '.helmignore'];
  expect(kept([...out, ...left])).toEqual(left);
});

test('patterns of the object replace the defaults, but not those for version control', () => {
  expect(kept(['a.png', 'b.txt', '.github/x', '.gitignore'], '*.txt')).toEqual(['a.png', '.github/x']);
  expect(kept(['a.png', '.gitignore'], '!.gitignore')).toEqual(['a.png', '.gitignore']);
});

test('so do patterns of a .sourceignore anywhere; comments alone do not', () => {
  expect(kept(['a.png', 'deep/x.txt'], undefined, { deep: '*.txt' })).toEqual(['a.png']);
  expect(kept(['a.png'], undefined, { '': '# nothing\n\n' })).toEqual([]);
  expect(kept(['a.png'], '')).toEqual([]);
});

test('a .sourceignore holds for its own directory, and the object has the last word', () => {
  const files = { '': '*.md', 'docs/public': '!*.md' };
  const paths = ['a.md', 'docs/a.md', 'docs/public/a.md', 'other/docs/public/a.md'];
  expect(kept(paths, undefined, files)).toEqual(['docs/public/a.md']);
  expect(kept(['docs/public/a.md'], '/docs', files)).toEqual([]);
});

test('everything but one directory can be left out', () => {
  const spec = '# all\n/*\n# but this\n!/deploy\n/deploy/**/*.md\n/deploy/**/*.txt\n';
  const paths = [
    'README.md',
    'src/main.go',
    'deploy/a.yaml',
    'deploy/x/b.yaml',
    'deploy/x/notes.txt',
    'deploy/x/y/z.md',
    'sub/deploy/c.yaml',
  ];
  expect(kept(paths, spec)).toEqual(['deploy/a.yaml', 'deploy/x/b.yaml']);
});

test('a file below a directory that is left out can be taken in again', () => {
  expect(kept(['a/x', 'a/keep/y'], '/a/\n!/a/keep/')).toEqual(['a/keep/y']);
});

test.each([
  ['*.yaml', ['a.yaml', 'd/a.yaml'], []],
  ['/a', ['a', 'a/b', 'd/a'], ['d/a']],
  ['d/', ['d/x', 'd'], ['d']],
  ['a/b', ['a/b', 'a/b/c', 'x/a/b'], ['x/a/b']],
  ['**/b', ['b', 'a/b', 'a/b/c', 'a/c'], ['a/c']],
  ['a/**', ['a/b', 'a/b/c', 'b'], ['b']],
  ['a/**/z', ['a/z', 'a/b/z', 'a/b/c/z', 'z'], ['z']],
  ['?.txt', ['a.txt', 'ab.txt'], ['ab.txt']],
  ['[ab].txt', ['a.txt', 'c.txt'], ['c.txt']],
  ['[^ab].txt', ['a.txt', 'c.txt'], ['a.txt']],
  ['\\!x', ['!x', 'x'], ['x']],
  ['\\#x', ['#x'], []],
  ['trailing   ', ['trailing'], []],
  ['[', ['['], ['[']],
  ['windows\r', ['windows'], []],
])('the pattern %j', (pattern, paths, left) => {
  expect(kept(paths, pattern)).toEqual(left);
});

test('a hostile pattern takes no longer than others', () => {
  const isIgnored = createIgnore([], `${'*a'.repeat(60)}b`);
  const started = performance.now();
  expect(isIgnored('a'.repeat(4_000))).toBe(false);
  expect(performance.now() - started).toBeLessThan(1_000);
});
