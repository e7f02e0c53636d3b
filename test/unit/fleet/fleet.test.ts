import { describe, expect, test } from 'vitest';
import { clusterOf, providerFor, rootProviderOf } from '../../../lib/fleet/fleet.ts';
import { loadFleet } from '../../../lib/fleet/load-fleet.ts';

const fleet = loadFleet(
  `
clusters:
  - { name: staging, kubeconfig: "env:A", source: { url: "https://github.com/acme/fleet" } }
  - { name: other, kubeconfig: "env:A", source: { url: "https://mirror.example.com/fleet", provider: tea } }
providers:
  - { name: hub, type: github }
  - { name: tea, type: gitea, url: "https://Git.Example.com:3000/git" }
`,
  { path: '/slipway.yaml' },
);

test('a cluster is found by its name', () => {
  expect(clusterOf(fleet, 'staging')?.kubeconfig).toBe('env:A');
  expect(clusterOf(fleet, 'production')).toBeUndefined();
});

describe('the provider for a URL', () => {
  test.each([
    ['https://github.com/acme/fleet.git', 'hub'],
    ['https://GITHUB.com/acme/fleet', 'hub'],
    ['https://git.example.com:3000/git/acme/fleet', 'tea'],
  ])('%s is %s', (url, name) => {
    expect(providerFor(fleet, url)?.name).toBe(name);
  });

  test.each([
    'https://github.com.evil.example/acme/fleet',
    'https://github.com@evil.example/acme/fleet',
    'https://git.example.com/acme/fleet',
    'https://git.example.com:3000/gitea/acme/fleet',
    'https://git.example.com:3000/git/../secret',
    'http://github.com/acme/fleet',
    'https://gist.github.com/x',
    'ssh://git@github.com/acme/fleet',
    'not a url',
    '',
  ])('%s is none', (url) => {
    expect(providerFor(fleet, url)).toBeUndefined();
  });
});

test('the root source is fetched with the credential of the named provider, or of the one at its host', () => {
  expect(fleet.clusters.map((cluster) => rootProviderOf(fleet, cluster)?.name)).toEqual(['hub', 'tea']);
});
