import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { parseImageName } from '../../../lib/core/image-name.ts';
import {
  credentialFor,
  credentialForHost,
  parseDockerConfig,
  type RegistryCredential,
} from '../../../lib/oci/docker-config.ts';
import { RegistryError } from '../../../lib/oci/registry-error.ts';

const NAME = 'Secret/apps/registry';

function parse(auths: unknown, key = '.dockerconfigjson') {
  const value = key === '.dockercfg' ? auths : { auths };
  return parseDockerConfig({ [key]: Buffer.from(JSON.stringify(value)) }, NAME);
}

function userFor(hosts: readonly string[], image: string): string {
  const entries = parse(Object.fromEntries(hosts.map((host) => [host, { username: host, password: 'x' }])));
  const parsed = parseImageName(image);
  if (!parsed.ok) throw new Error(parsed.problem);
  const found = credentialFor(entries, parsed.name);
  return found?.type === 'basic' ? found.username : 'none';
}

describe('the credential for an image', () => {
  test.each([
    [['ghcr.io'], 'ghcr.io/owner/app', 'ghcr.io'],
    [['https://ghcr.io'], 'ghcr.io/owner/app', 'https://ghcr.io'],
    [['https://index.docker.io/v1/'], 'alpine', 'https://index.docker.io/v1/'],
    [['docker.io'], 'owner/app', 'docker.io'],
    [['registry.example.com/v2/'], 'registry.example.com/a', 'registry.example.com/v2/'],
    [['*.example.com'], 'registry.example.com/a', '*.example.com'],
    [['*.example.com'], 'example.com/a', 'none'],
    [['*.example.com'], 'a.b.example.com/a', 'none'],
    [['*.*.example.com'], 'a.b.example.com/a', '*.*.example.com'],
    [['pre*post.example.com'], 'pre-and-post.example.com/a', 'pre*post.example.com'],
    [['registry.example.com:5000'], 'registry.example.com:5000/a', 'registry.example.com:5000'],
    [['registry.example.com'], 'registry.example.com:5000/a', 'none'],
    [['registry.example.com:5000'], 'registry.example.com/a', 'none'],
    [['ghcr.io', 'ghcr.io/owner'], 'ghcr.io/owner/app', 'ghcr.io/owner'],
    [['ghcr.io/owner', 'ghcr.io/owner/app'], 'ghcr.io/owner/app', 'ghcr.io/owner/app'],
    [['ghcr.io/own'], 'ghcr.io/owner/app', 'none'],
    [['*.io', 'ghcr.io'], 'ghcr.io/owner/app', 'ghcr.io'],
    [['evil.com'], 'ghcr.io/evil.com/app', 'none'],
    [['ghcr.io.evil.com'], 'ghcr.io/owner/app', 'none'],
  ])('of %j for %s is that of %s', (hosts, image, expected) => {
    expect(userFor(hosts, image)).toBe(expected);
  });

  test('for a host that is no registry is found by its exact name only', () => {
    const entries = parse({
      '*.example.com': { auth: btoa('a:b') },
      'auth.example.org': { auth: btoa('c:d') },
    });
    expect(credentialForHost(entries, 'AUTH.example.org')).toEqual({
      type: 'basic',
      username: 'c',
      password: 'd',
    });
    expect(credentialForHost(entries, 'auth.example.com')).toBeUndefined();
  });
});

describe('a Docker configuration', () => {
  const read = (entry: unknown): RegistryCredential | undefined => parse({ h: entry })[0]?.credential;

  test('gives users, passwords and tokens', () => {
    expect(read({ auth: btoa('user:pass:word') })).toEqual({
      type: 'basic',
      username: 'user',
      password: 'pass:word',
    });
    expect(read({ username: 'u', password: 'p', auth: btoa('a:b') })).toMatchObject({ username: 'u' });
    expect(read({ identitytoken: 't', auth: btoa('a:b') })).toEqual({ type: 'identity', token: 't' });
    expect(read({ username: '<token>', password: 't' })).toEqual({ type: 'identity', token: 't' });
    expect(read({ registrytoken: 't' })).toEqual({ type: 'bearer', token: 't' });
    expect(read({})).toBeUndefined();
    expect(parse({ h: { auth: btoa('a:b') } }, '.dockercfg')).toHaveLength(1);
  });

  test('may have a whole file as its password, as the registries of Google want it', () => {
    const file = JSON.stringify({ type: 'service_account', private_key: '-----BEGIN\n' }, null, 2);
    const expected = { type: 'basic', username: '_json_key', password: file };
    expect(read({ username: '_json_key', password: file })).toEqual(expected);
    expect(read({ auth: btoa(`_json_key:${file}`) })).toEqual(expected);
  });

  test.each([
    [{}, /Secret\/apps\/registry has no key \.dockerconfigjson/],
    [{ '.dockerconfigjson': '{' }, /not a Docker configuration/],
    [{ '.dockerconfigjson': '[]' }, /not a Docker configuration/],
    [{ '.dockerconfigjson': '{"auths":[]}' }, /not a Docker configuration/],
    [{ '.dockerconfigjson': '{"auths":{"h":"hush-hush"}}' }, /entry h: is no object/],
    [{ '.dockerconfigjson': '{"auths":{"h":{"auth":"hush-hush"}}}' }, /entry h: auth is not the base64/],
    [
      { '.dockerconfigjson': '{"auths":{"h":{"registrytoken":"hush\\r\\nhush"}}}' },
      /entry h: registrytoken holds a space, a line break/,
    ],
    [{ '.dockerconfigjson': '{"auths":{"":{"auth":"hush-hush"}}}' }, /no valid host/],
  ])('%j is refused, without a word of what it holds', (data, expected) => {
    const bytes = Object.fromEntries(Object.entries(data).map(([key, text]) => [key, Buffer.from(text)]));
    const act = () => parseDockerConfig(bytes, NAME);
    expect(act).toThrow(RegistryError);
    expect(act).toThrow(expected);
    expect(act).not.toThrow(/hush/);
  });

  test('of any form is read or refused, never anything else', () => {
    fc.assert(
      fc.property(fc.oneof(fc.json(), fc.string()), (text) => {
        try {
          parseDockerConfig({ '.dockerconfigjson': Buffer.from(text) }, NAME);
        } catch (error) {
          expect(error).toBeInstanceOf(RegistryError);
        }
      }),
    );
  });
});
