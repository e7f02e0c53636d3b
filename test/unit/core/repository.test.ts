import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { normaliseRepository } from '../../../lib/core/repository.ts';

describe('normaliseRepository', () => {
  it.each([
    ['https://github.com/Acme/Fleet.git', 'github.com/acme/fleet'],
    ['https://github.com/acme/fleet', 'github.com/acme/fleet'],
    ['https://github.com/acme/fleet/', 'github.com/acme/fleet'],
    ['https://GitHub.com:443/acme/fleet.git', 'github.com/acme/fleet'],
    ['https://user:pass@github.com/acme/fleet.git', 'github.com/acme/fleet'],
    ['http://git.example.org:80/acme/fleet.git', 'git.example.org/acme/fleet'],
    ['http://127.0.0.1:3000/acme/fleet.git', '127.0.0.1:3000/acme/fleet'],
    ['http://[::1]:3000/acme/fleet.git', '[::1]:3000/acme/fleet'],
    ['ssh://git@github.com:22/acme/fleet.git', 'github.com/acme/fleet'],
    ['ssh://git@github.com/acme/fleet.git', 'github.com/acme/fleet'],
    ['ssh://git@git.example.org:2222/acme/fleet', 'git.example.org:2222/acme/fleet'],
    ['git@github.com:acme/fleet.git', 'github.com/acme/fleet'],
    ['git@gitlab.com:group/sub/app.git', 'gitlab.com/group/sub/app'],
    ['git://github.com/acme/fleet.git', 'github.com/acme/fleet'],
  ])('spells %s as %s', (url, expected) => {
    expect(normaliseRepository(url)).toBe(expected);
  });

  it.each([
    '',
    'not a url',
    'https://github.com',
    'https://github.com/',
    'https:///acme/fleet',
    'file:///etc/passwd',
    'ext::sh -c id',
    'https://github.com/acme/fleet\n.git',
    'https://github.com\\acme/fleet',
    '/srv/git/fleet.git',
  ])('refuses %j', (url) => {
    expect(normaliseRepository(url)).toBeUndefined();
  });

  it('takes dot segments, percent signs and look-alike letters literally', () => {
    expect(normaliseRepository('https://h/acme/../evil/fleet')).toBe('h/acme/../evil/fleet');
    expect(normaliseRepository('https://h/acme/%2e%2e/fleet')).toBe('h/acme/%2e%2e/fleet');
    expect(normaliseRepository('https://h/.*/(a+)+$')).toBe('h/.*/(a+)+$');
    expect(normaliseRepository('https://h/\u212aelvin/fleet')).not.toBe('h/kelvin/fleet');
    expect(normaliseRepository('https://h/аcme/fleet')).not.toBe('h/acme/fleet');
  });

  it('never throws, and its result stands still when read again', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string({ unit: 'binary' }), fc.webUrl()), (url) => {
        const once = normaliseRepository(url);
        if (once !== undefined && !once.endsWith('.git') && !once.endsWith('/'))
          expect(normaliseRepository(`https://${once}`)).toBe(once.replace(':443/', '/'));
      }),
    );
  });
});
