import fc from 'fast-check';
import { expect, test } from 'vitest';
import { GitError } from '../../../lib/git/errors.ts';
import { originOf, parseGitUrl, resolveGitUrl } from '../../../lib/git/url.ts';

test.each([
  ['https://github.com/org/repo', 'https://github.com/org/repo', 443],
  ['https://GitHub.com/Org/Repo.git', 'https://github.com/Org/Repo.git', 443],
  ['http://git.internal:3000/org/repo.git', 'http://git.internal:3000/org/repo.git', 3000],
  ['https://user:secret@host/repo', 'https://host/repo', 443],
  ['ssh://git@github.com/org/repo.git', 'ssh://git@github.com/org/repo.git', 22],
  ['ssh://host:2222/repo', 'ssh://host:2222/repo', 2222],
  ['https://[::1]:8443/repo', 'https://[::1]:8443/repo', 8443],
  ['HTTPS://host/repo', 'https://host/repo', 443],
  ['https://dev.azure.com/org/project/_git/repo?x=1', 'https://dev.azure.com/org/project/_git/repo?x=1', 443],
])('%s is given to Git as %s', (url, href, port) => {
  expect(parseGitUrl(url)).toMatchObject({ href, port });
});

test('user and password are read and kept apart from what Git is given', () => {
  const url = parseGitUrl('https://us%40er:p%3Ass@host/repo');
  expect(url).toMatchObject({ username: 'us@er', password: 'p:ss', href: 'https://host/repo' });
});

test.each([
  'ext::sh -c touch% /tmp/x',
  'EXT::sh',
  'ext::https://host/repo',
  'file:///etc',
  'FILE:///etc',
  '/etc/repo',
  '../repo',
  'git://host/repo',
  'ftp://host/repo',
  'git@github.com:org/repo.git',
  '--upload-pack=touch /tmp/x',
  '-oProxyCommand=touch%20x',
  'ssh://-oProxyCommand=touch/repo',
  'ssh://-l@host/repo',
  'https://-host/repo',
  'https://host/repo\nhttps://other/repo',
  'https://host/repo%0ahost=other',
  'https://host/repo%0Dx',
  'https://host/repo%00',
  'https://host/re po',
  'https://host/repo\u0000',
  'https://host\\@other/repo',
  'https://host/repo#fragment',
  'https://a@b@host/repo',
  'https://host:0/repo',
  'https://host:65536/repo',
  'https://host:/repo',
  'https:///repo',
  'https://host',
  'https://host//',
  'https://us%0aer@host/repo',
  'https://us er@host/repo',
  'https://us%zz@host/repo',
  'https://hošt/repo',
  '',
  `https://host/${'x'.repeat(5_000)}`,
])('%j is refused', (url) => {
  expect(() => parseGitUrl(url)).toThrow(GitError);
});

test('a refusal never shows a password', () => {
  expect(() => parseGitUrl('https://user:hunter2hunter2@host/re po')).toThrow(/\*\*\*@host/);
});

test('whatever is accepted has an allowed scheme and cannot be an option or hold a line break', () => {
  const text = fc.oneof(
    fc.string({ unit: 'binary', maxLength: 60 }),
    fc
      .tuple(fc.constantFrom('https://', 'ssh://', 'http://', 'ext::', '-'), fc.string({ maxLength: 40 }))
      .map((parts) => parts.join('')),
    fc.webUrl(),
  );
  fc.assert(
    fc.property(text, (url) => {
      let href = '';
      try {
        href = parseGitUrl(url).href;
      } catch (error) {
        expect(error).toBeInstanceOf(GitError);
        return;
      }
      expect(href).toMatch(/^(https?|ssh):\/\/[^-\s][^\s]*$/);
      expect(parseGitUrl(href).href).toBe(href);
    }),
  );
});

test('a credential is bound to scheme, host and port', () => {
  const origin = (url: string) => originOf(parseGitUrl(url));
  expect(origin('https://host:443/a')).toBe(origin('https://HOST/b'));
  expect(
    new Set(['https://host/a', 'http://host/a', 'https://host:444/a', 'https://host2/a'].map(origin)).size,
  ).toBe(4);
});

test.each([
  ['../other.git', 'https://host/org/other.git'],
  ['../../top.git', 'https://host/top.git'],
  ['./below.git', 'https://host/org/repo.git/below.git'],
  ['/root.git', 'https://host/root.git'],
  ['https://elsewhere/x.git', 'https://elsewhere/x.git'],
])('seen from https://host/org/repo.git, %s is %s', (target, href) => {
  expect(resolveGitUrl(parseGitUrl('https://host/org/repo.git'), target).href).toBe(href);
});

test('a relative URL keeps the SSH user, and cannot leave its server or name another protocol', () => {
  expect(resolveGitUrl(parseGitUrl('ssh://git@host/a/b.git'), '../c.git').href).toBe(
    'ssh://git@host/a/c.git',
  );
  const base = parseGitUrl('https://host/org/repo.git');
  for (const target of ['../../../x', 'file:///etc', 'ext::sh', '-x', '../\nx', 'repo.git']) {
    expect(() => resolveGitUrl(base, target)).toThrow(GitError);
  }
});
