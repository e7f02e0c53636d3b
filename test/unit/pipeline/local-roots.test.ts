import { expect, test } from 'vitest';
import { loadFleet } from '../../../lib/fleet/load-fleet.ts';
import { guessRoots, rootsOfFleet } from '../../../lib/pipeline/local-roots.ts';
import { readManifests } from '../../../lib/pipeline/manifest-files.ts';

function kustomization(name: string, source = 'flux-system', path = './x'): string {
  return `${JSON.stringify({
    apiVersion: 'kustomize.toolkit.fluxcd.io/v1',
    kind: 'Kustomization',
    metadata: { name, namespace: 'flux-system' },
    spec: { interval: '1m', prune: true, path, sourceRef: { kind: 'GitRepository', name: source } },
  })}\n`;
}

function guess(files: Record<string, string>) {
  const all = Object.entries(files).map(([path, text]) => ({ path, data: Buffer.from(text) }));
  return guessRoots(readManifests(all).manifests).map(({ name, root, source, guessed }) => ({
    name,
    path: (root.spec as { path: string }).path,
    source: source.metadata.name,
    guessed,
  }));
}

test('a repository made by flux bootstrap begins at its flux-system Kustomizations', () => {
  const repository = `${JSON.stringify({
    apiVersion: 'source.toolkit.fluxcd.io/v1',
    kind: 'GitRepository',
    metadata: { name: 'flux-system', namespace: 'flux-system' },
    spec: { interval: '1m', url: 'https://git.example.com/fleet' },
  })}\n`;
  const sync = (path: string) => `${repository}---\n${kustomization('flux-system', 'flux-system', path)}`;
  expect(
    guess({
      'clusters/a/flux-system/gotk-sync.yaml': sync('./clusters/a'),
      'clusters/b/flux-system/gotk-sync.yaml': sync('./clusters/b'),
      'clusters/a/apps.yaml': kustomization('apps'),
    }),
  ).toEqual([
    { name: 'clusters/a/flux-system', path: './clusters/a', source: 'flux-system', guessed: false },
    { name: 'clusters/b/flux-system', path: './clusters/b', source: 'flux-system', guessed: false },
  ]);
});

test('any other begins at the topmost directories with Kustomizations, from the source that they name', () => {
  expect(
    guess({
      'clusters/a/apps.yaml': kustomization('apps', 'fleet'),
      'clusters/a/more/extra.yaml': kustomization('extra', 'fleet'),
      'clusters/ab/apps.yaml': kustomization('apps', 'fleet'),
      'apps/deployment.yaml': '{}',
    }),
  ).toEqual([
    { name: 'clusters/a', path: './clusters/a', source: 'fleet', guessed: true },
    { name: 'clusters/ab', path: './clusters/ab', source: 'fleet', guessed: true },
  ]);
  expect(guess({ 'apps.yaml': kustomization('apps'), 'b/c.yaml': kustomization('c') })).toHaveLength(1);
  expect(guess({ 'a.yaml': '{}' })).toEqual([]);
});

test('of a fleet file those clusters are taken whose source is a remote of the checkout; all when there is none', () => {
  const text = ['one', 'two']
    .map(
      (name) =>
        `  - {name: ${name}, kubeconfig: "env:K", source: {url: "https://git.example.com/${name}.git"}}`,
    )
    .join('\n');
  const { clusters } = loadFleet(`clusters:\n${text}\n`, { path: '/slipway.yaml' });
  const of = (remotes: string[]) => rootsOfFleet(clusters, remotes).map(({ name }) => name);
  expect(of(['git@git.example.com:two'])).toEqual(['two']);
  expect(of(['https://elsewhere.example.com/x'])).toEqual(['one', 'two']);
  expect(of([])).toEqual(['one', 'two']);
});
