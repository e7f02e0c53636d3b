import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { formatImageName, isTag, parseImageName } from '../../../lib/core/image-name.ts';

function canonical(text: string): string {
  const parsed = parseImageName(text);
  return parsed.ok ? formatImageName(parsed.name) : parsed.problem;
}

describe('the name of an image', () => {
  test.each([
    ['alpine', 'index.docker.io/library/alpine'],
    ['owner/app', 'index.docker.io/owner/app'],
    ['docker.io/alpine', 'index.docker.io/library/alpine'],
    ['docker.io/owner/app', 'index.docker.io/owner/app'],
    ['registry-1.docker.io/owner/app', 'index.docker.io/owner/app'],
    ['ghcr.io/owner/app', 'ghcr.io/owner/app'],
    ['GHCR.io/owner/deep/path/app', 'ghcr.io/owner/deep/path/app'],
    ['localhost/app', 'localhost/app'],
    ['localhost:5000/app', 'localhost:5000/app'],
    ['registry:5000/app', 'registry:5000/app'],
    ['127.0.0.1:5000/team/app', '127.0.0.1:5000/team/app'],
    ['[::1]:5000/app', '[::1]:5000/app'],
    ['ghcr.io/owner/my_app--x.y', 'ghcr.io/owner/my_app--x.y'],
  ])('%s is %s', (text, expected) => expect(canonical(text)).toBe(expected));

  test.each([
    ['https://ghcr.io/owner/app', /should not include URL scheme; remove 'https:\/\/'/],
    ['oci://ghcr.io/owner/app', /remove 'oci:\/\/'/],
    ['\u212Aubernetes.example/app', /names no valid registry/],
    ['ghcr.io/owner/app:v1', /should not include a tag; remove ':v1'/],
    ['alpine:3', /should not include a tag; remove ':3'/],
    ['ghcr.io/owner/app@sha256:abc', /remove '@sha256:abc'/],
    ['ghcr.io/Owner/app', /no valid repository/],
    ['', /no valid repository/],
    ['ghcr.io/', /no valid repository/],
    ['ghcr.io//app', /no valid repository/],
    ['ghcr.io/../app', /no valid repository/],
    ['user@ghcr.io/app', /no valid registry/],
    ['ghcr.io?x=/app', /no valid registry/],
    ['ghcr.io/a b', /no valid repository/],
    [`ghcr.io/${'a'.repeat(300)}`, /no valid repository/],
  ])('%s is refused', (text, expected) => expect(canonical(text)).toMatch(expected));

  test('never makes a URL lead anywhere but to its registry, whatever the text', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.webUrl(), fc.webPath()), (text) => {
        const parsed = parseImageName(text);
        if (!parsed.ok) return;
        const { registry, repository } = parsed.name;
        const url = new URL(`https://${registry}/v2/${repository}/tags/list`);
        expect(url.pathname).toBe(`/v2/${repository}/tags/list`);
        expect(url.username + url.password + url.search + url.hash).toBe('');
      }),
    );
  });

  test('is the same once more when it is canonical', () => {
    for (const text of ['alpine', 'ghcr.io/a/b', 'localhost:1/x'])
      expect(canonical(canonical(text))).toBe(canonical(text));
  });
});

test('a tag has the letters and the length that registries allow', () => {
  expect(['v1.2.3', '_x', 'A', 'a'.repeat(128)].every(isTag)).toBe(true);
  expect(['', '.x', '-x', 'a/b', 'a+b', 'a'.repeat(129), 'a\nb', '../x'].some(isTag)).toBe(false);
});
