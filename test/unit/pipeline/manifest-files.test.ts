import { expect, test } from 'vitest';
import { readManifests } from '../../../lib/pipeline/manifest-files.ts';

function read(files: Record<string, string>) {
  return readManifests(Object.entries(files).map(([path, text]) => ({ path, data: Buffer.from(text) })));
}

const names = (found: ReturnType<typeof readManifests>) =>
  found.manifests.map(({ file, line, object }) => `${file}:${line} ${object.kind}/${object.metadata.name}`);

test('objects are found in every document and in lists, with their lines', () => {
  const found = read({
    'a.yaml': [
      '# comment',
      'apiVersion: v1',
      'kind: ConfigMap',
      'metadata: {name: one}',
      '---',
      'apiVersion: v1',
      'kind: List',
      'items:',
      '  - {apiVersion: v1, kind: Secret, metadata: {name: two}}',
    ].join('\n'),
    'values.yml': 'replicas: 2\n',
    'readme.md': 'apiVersion: v1\n',
  });
  expect(names(found)).toEqual(['a.yaml:2 ConfigMap/one', 'a.yaml:6 Secret/two']);
  expect(found.problems).toEqual([]);
});

test('a field has the line of its key, a missing one that of what stands above it', () => {
  const [manifest] = read({
    'a.yaml':
      'apiVersion: v1\nkind: X\nmetadata:\n  name: one\nspec:\n  images:\n    - name: a\n      tag: b\n',
  }).manifests;
  expect(manifest?.lineOf('spec.images[0].tag')).toBe(8);
  expect(manifest?.lineOf('spec.images[0].digest')).toBe(7);
  expect(manifest?.lineOf('spec.path')).toBe(5);
  expect(manifest?.lineOf('status')).toBe(1);
});

test('a fault in the YAML is named with its line; the templates of a chart are none', () => {
  const found = read({
    'apps/broken.yaml': 'a: 1\nb: [1\n',
    'chart/Chart.yaml': 'name: chart\n',
    'chart/templates/a.yaml': '{{ if .x }}\na: [1\n',
    'Chart.yaml-not/templates/a.yaml': 'a: b: c\n',
  });
  expect(found.problems.map(({ file, line }) => `${file}:${line}`)).toEqual([
    'apps/broken.yaml:3',
    'Chart.yaml-not/templates/a.yaml:1',
  ]);
});

test('files that kustomize takes as patches are known, whatever the spelling of their path', () => {
  const found = read({
    'apps/prod/kustomization.yaml': [
      'patches:',
      '  - path: ./patch.yaml',
      '  - patch: "{}"',
      'patchesStrategicMerge: [../shared/merge.yaml, "apiVersion: v1\\nkind: X"]',
      'patchesJson6902: [{path: ops.yaml}]',
    ].join('\n'),
  });
  expect([...found.patches]).toEqual([
    'apps/prod/patch.yaml',
    'apps/prod/ops.yaml',
    'apps/shared/merge.yaml',
  ]);
});
