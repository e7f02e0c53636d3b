import { expect, test } from 'vitest';
import { authFromSecret, authFromUrl, identityOfAuth, secretsOf, withProxy } from '../../../lib/git/auth.ts';
import { GitError } from '../../../lib/git/errors.ts';
import { parseGitUrl } from '../../../lib/git/url.ts';

const HTTPS = parseGitUrl('https://host/repo');
const SSH = parseGitUrl('ssh://git@host/repo');

const secret = (data: Record<string, string>) =>
  Object.fromEntries(Object.entries(data).map(([key, value]) => [key, Buffer.from(value)]));

test('user and password come from the secret', () => {
  expect(authFromSecret(HTTPS, secret({ username: 'u', password: 'p' }))).toEqual({
    basic: { username: 'u', password: 'p' },
  });
});

test('a bearer token goes before user and password', () => {
  const auth = authFromSecret(HTTPS, secret({ bearerToken: 'token\n', username: 'u', password: 'p' }));
  expect(auth).toEqual({ bearer: 'token' });
});

test('ca.crt goes before caFile, and a client certificate needs its key', () => {
  expect(authFromSecret(HTTPS, secret({ 'ca.crt': 'new', caFile: 'old' }))).toEqual({ ca: 'new' });
  expect(authFromSecret(HTTPS, secret({ caFile: 'old', 'tls.crt': 'x' }))).toEqual({ ca: 'old' });
  const client = authFromSecret(HTTPS, secret({ 'tls.crt': 'cert', 'tls.key': 'key' })).client;
  expect(client).toEqual({ certificate: 'cert', key: 'key' });
});

test('what the secret leaves open comes from the URL', () => {
  const url = parseGitUrl('https://user:word@host/repo');
  expect(authFromSecret(url, secret({ password: 'p' })).basic).toEqual({ username: 'user', password: 'p' });
  expect(authFromUrl(url).basic).toEqual({ username: 'user', password: 'word' });
  expect(authFromUrl(HTTPS)).toEqual({});
});

test('SSH needs identity and known_hosts, and gets a line end that ssh insists on', () => {
  const auth = authFromSecret(
    SSH,
    secret({ identity: 'KEY', known_hosts: 'host ssh-ed25519 AAAA', password: 'pass' }),
  );
  expect(auth.ssh).toEqual({ identity: 'KEY\n', knownHosts: 'host ssh-ed25519 AAAA\n', passphrase: 'pass' });
  expect(() => authFromSecret(SSH, secret({ identity: 'KEY' }))).toThrow('known_hosts');
  expect(() => authFromSecret(SSH, secret({ known_hosts: 'x' }))).toThrow('identity');
});

test.each([
  [{ password: 'p' }, 'username'],
  [{ username: 'u', password: 'p\r\nX-Evil: 1' }, 'line break'],
  [{ username: 'u\n', password: 'p' }, 'line break'],
  [{ bearerToken: 'a\nb' }, 'line break'],
])('the secret %j is refused', (data, message) => {
  expect(() => authFromSecret(HTTPS, secret(data as Record<string, string>))).toThrow(message);
});

test('a proxy comes from its own secret', () => {
  const auth = withProxy({}, secret({ address: 'http://proxy:3128', username: 'u@x', password: 'p:w' }));
  expect(auth.proxy).toBe('http://u%40x:p%3Aw@proxy:3128/');
  for (const address of ['', 'proxy:3128', 'ftp://proxy', 'file:///x']) {
    expect(() => withProxy({}, secret({ address }))).toThrow(GitError);
  }
});

test('everything secret is known, so that it can be removed from messages', () => {
  const auth = {
    basic: { username: 'u', password: 'word' },
    bearer: 'token',
    ssh: { identity: 'KEY', knownHosts: 'x', passphrase: 'phrase' },
    client: { certificate: 'c', key: 'client-key' },
    proxy: 'http://u:proxy%20word@proxy/',
  };
  const basic = Buffer.from('u:word').toString('base64');
  expect(secretsOf(auth).sort()).toEqual(
    ['KEY', 'client-key', 'phrase', 'proxy word', 'token', 'word', basic].sort(),
  );
  expect(secretsOf({})).toEqual([]);
});

test('different credentials never share a cache', () => {
  const all = [
    {},
    { basic: { username: 'a', password: 'b' } },
    { basic: { username: 'a', password: 'c' } },
    { basic: { username: 'ab', password: '' } },
    { bearer: 'b' },
    { ssh: { identity: 'b', knownHosts: '', passphrase: '' } },
    { client: { certificate: '', key: 'b' } },
  ];
  expect(new Set(all.map(identityOfAuth)).size).toBe(all.length);
});
