import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { canonicalHost, canonicalImage, imageAt, splitReference } from '../../../lib/core/image-reference.ts';

describe('canonicalImage', () => {
  test.each([
    ['alpine', 'index.docker.io/library/alpine'],
    ['docker.io/alpine', 'index.docker.io/library/alpine'],
    ['acme/app', 'index.docker.io/acme/app'],
    ['registry-1.docker.io/acme/app', 'index.docker.io/acme/app'],
    ['ghcr.io/acme/team/app', 'ghcr.io/acme/team/app'],
    ['GHCR.io/acme/app', 'ghcr.io/acme/app'],
    ['localhost/app', 'localhost/app'],
    ['localhost:5000/app', 'localhost:5000/app'],
    ['127.0.0.1:5000/app', '127.0.0.1:5000/app'],
    ['[::1]:5000/app', '[::1]:5000/app'],
    ['123456789012.dkr.ecr.eu-west-1.amazonaws.com/app', '123456789012.dkr.ecr.eu-west-1.amazonaws.com/app'],
  ])('reads %s as %s', (image, canonical) => {
    expect(canonicalImage(image)).toBe(canonical);
    expect(canonicalImage(canonical)).toBe(canonical);
  });

  test.each([
    '',
    '/',
    'ghcr.io/',
    'ghcr.io/Acme/app',
    'ghcr.io/acme/../other/app',
    'ghcr.io/acme/%2e%2e/app',
    'ghcr.io/acme/./app',
    'ghcr.io//app',
    'ghcr.io/acme/app:1.0',
    'ghcr.io/acme/app@sha256:00',
    'ghcr.io/ac*me/app',
    'ghcr.io/acme/app\n',
    'ghcr.іo/acme/app',
    'ghcr.io/\u212ame/app',
    'https://ghcr.io/acme/app',
    'user@ghcr.io/acme/app',
    `ghcr.io/${'a'.repeat(256)}`,
  ])('takes %j for no image', (image) => {
    expect(canonicalImage(image)).toBeUndefined();
  });

  test('never throws, and what it gives is canonical', () => {
    fc.assert(
      fc.property(fc.string(), fc.string(), (host, path) => {
        for (const image of [canonicalImage(`${host}/${path}`), imageAt(host, path)])
          if (image !== undefined) expect(canonicalImage(image)).toBe(image);
      }),
    );
  });
});

test('splitReference needs a tag and leaves a digest out', () => {
  expect(splitReference('ghcr.io/acme/app:1.0@sha256:00')).toEqual({ image: 'ghcr.io/acme/app', tag: '1.0' });
  expect(splitReference('localhost:5000/app:1.0')).toEqual({ image: 'localhost:5000/app', tag: '1.0' });
  for (const text of ['localhost:5000/app', 'app', 'app:', 'app:-1', 'app@sha256:00', ':1.0', ''])
    expect(splitReference(text)).toBeUndefined();
});

test('a host is a name or an address, with or without a port', () => {
  expect(canonicalHost('Docker.IO')).toBe('index.docker.io');
  expect(canonicalHost('hub.docker.com')).toBe('index.docker.io');
  expect(canonicalHost('[::1]:5000')).toBe('[::1]:5000');
  for (const host of ['', 'a/b', 'a..b', '-a', 'a:port', 'a_b.c', 'a', 'x/hub.docker.com'])
    expect(canonicalHost(host)).toBeUndefined();
});
