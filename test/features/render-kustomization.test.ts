import { afterAll, describe, expect, test } from 'vitest';
import type { KubernetesObject } from '../../lib/core/object.ts';
import { configMap, type Files, type kustomization, renderFiles, testEngine } from '../support/render.ts';

const engine = testEngine();
afterAll(() => engine.close());

type Spec = Partial<ReturnType<typeof kustomization>['spec']>;

async function objectsOf(files: Files, spec: Spec = {}): Promise<KubernetesObject[]> {
  return (await renderFiles(engine, files, spec)).objects;
}

async function namesOf(files: Files, spec: Spec = {}): Promise<string[]> {
  return (await objectsOf(files, spec)).map(({ metadata }) => metadata.name);
}

const deployment = (image: string) =>
  `apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: web}\nspec: {template: {spec: {containers: [{name: web, image: "${image}"}]}}}\n`;

function imageOf(objects: KubernetesObject[]): string {
  const { spec } = objects.find(({ kind }) => kind === 'Deployment') as KubernetesObject;
  return JSON.stringify(spec).match(/"image":"([^"]*)"/)?.[1] ?? '';
}

describe('a directory without a kustomization file', () => {
  test('gives all its manifests, and in place of those of a sub-directory what its kustomization file says', async () => {
    const files = {
      'apps/a.yaml': configMap('a'),
      'apps/deep/er/b.yml': configMap('b'),
      'apps/own/kustomization.yaml': 'resources: [c.yaml]\nnamePrefix: own-\n',
      'apps/own/c.yaml': configMap('c'),
      'apps/own/ignored.yaml': configMap('ignored'),
      'apps/notes.txt': 'not a manifest',
      'apps/data.json': '{"not": "listed"}',
      'other/z.yaml': configMap('z'),
    };
    expect((await namesOf(files, { path: './apps' })).sort()).toEqual(['a', 'b', 'own-c']);
  });

  test('takes Kustomization and kustomization.yml of a sub-directory for one, and kustomize.yaml not', async () => {
    const files = {
      'one/Kustomization': 'resources: [a.yaml]\nnamePrefix: one-\n',
      'one/a.yaml': configMap('a'),
      'two/kustomization.yml': 'resources: [b.yaml]\nnamePrefix: two-\n',
      'two/b.yaml': configMap('b'),
      'KUSTOMIZATION/c.yaml': configMap('c'),
    };
    expect((await namesOf(files)).sort()).toEqual(['c', 'one-a', 'two-b']);
  });

  test('may hold nothing', async () => {
    expect(await objectsOf({ 'apps/README.md': 'empty' }, { path: './apps' })).toEqual([]);
  });

  test('may hold files of comments alone', async () => {
    expect(await namesOf({ 'a.yaml': '# nothing\n', 'b.yaml': configMap('b') })).toEqual(['b']);
  });

  test('gives the items of a List one by one', async () => {
    const list = {
      apiVersion: 'v1',
      kind: 'List',
      items: [JSON.parse(configMap('a')), JSON.parse(configMap('b'))],
    };
    expect(await namesOf({ 'list.yaml': JSON.stringify(list) })).toEqual(['a', 'b']);
  });
});

describe('spec.path', () => {
  const files = { 'apps/a.yaml': configMap('a'), 'b.yaml': configMap('b') };

  test.each(['./apps', 'apps', '/apps', 'apps/', './x/../apps', '../../apps'])(
    '%s is read as apps',
    async (path) => {
      expect(await namesOf(files, { path })).toEqual(['a']);
    },
  );

  test.each(['', './', '.', '/'])('%j is the root of the source', async (path) => {
    expect((await namesOf(files, { path })).sort()).toEqual(['a', 'b']);
  });

  test('that is not in the source is an ArtifactFailed, as is a file', async () => {
    const failed = {
      reason: 'ArtifactFailed',
      message: expect.stringMatching(/is not a directory of the source/),
    };
    await expect(objectsOf(files, { path: './gone' })).rejects.toMatchObject(failed);
    await expect(objectsOf(files, { path: './b.yaml' })).rejects.toMatchObject(failed);
  });
});

describe('the fields of the spec', () => {
  const files = { 'a.yaml': configMap('a'), 'web.yaml': deployment('nginx:1') };

  test('targetNamespace, namePrefix and nameSuffix change all objects', async () => {
    const objects = await objectsOf(files, {
      targetNamespace: 'shop',
      namePrefix: 'blue-',
      nameSuffix: '-v2',
    });
    expect(objects.map(({ metadata }) => metadata)).toEqual([
      { name: 'blue-a-v2', namespace: 'shop' },
      { name: 'blue-web-v2', namespace: 'shop' },
    ]);
  });

  test('go over those of the kustomization file', async () => {
    const own = { ...files, 'kustomization.yaml': 'resources: [a.yaml]\nnamespace: own\nnamePrefix: own-\n' };
    const [object] = await objectsOf(own, { targetNamespace: 'shop' });
    expect(object?.metadata).toEqual({ name: 'own-a', namespace: 'shop' });
  });

  test('patches are strategic merges or JSON patches, with or without a target', async () => {
    const objects = await objectsOf(files, {
      patches: [
        { patch: 'apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: web}\nspec: {replicas: 3}' },
        { patch: '- {op: add, path: /data/added, value: "1"}', target: { kind: 'ConfigMap', name: 'a' } },
        {
          patch: 'apiVersion: v1\nkind: Any\nmetadata: {name: any, labels: {l: "1"}}',
          target: { labelSelector: '!none' },
        },
      ],
    });
    expect(objects[0]).toMatchObject({ data: { added: '1' }, metadata: { labels: { l: '1' } } });
    expect(objects[1]).toMatchObject({ spec: { replicas: 3 }, metadata: { labels: { l: '1' } } });
  });

  test('images', async () => {
    const set = async (image: object, file = '') =>
      imageOf(
        await objectsOf(
          { ...files, 'kustomization.yaml': `resources: [web.yaml]\n${file}` },
          { images: [{ name: 'nginx', ...image }] },
        ),
      );
    expect(await set({ newTag: '2' })).toBe('nginx:2');
    expect(await set({ newName: 'mirror/nginx' })).toBe('mirror/nginx:1');
    expect(await set({ digest: 'sha256:abc' })).toBe('nginx@sha256:abc');
    const own = (fields: string) => `images: [{name: nginx, ${fields}}]\n`;
    expect(await set({ newName: 'mirror/nginx' }, own('newTag: "5"'))).toBe('mirror/nginx:5');
    expect(await set({ newTag: '2' }, own('newName: other, digest: "sha256:abc"'))).toBe('other:2');
    expect(await set({ digest: 'sha256:def' }, own('newTag: "5"'))).toBe('nginx@sha256:def');
  });

  const component = 'apiVersion: kustomize.config.k8s.io/v1alpha1\nkind: Component\nnameSuffix: -extra\n';

  test('components are relative to the path; missing ones are an error unless they may be', async () => {
    const tree = { 'apps/a.yaml': configMap('a'), 'parts/kustomization.yaml': component };
    expect(await namesOf(tree, { path: './apps', components: ['../parts'] })).toEqual(['a-extra']);
    const missing: Spec = { path: './apps', components: ['../parts', '../gone'] };
    await expect(namesOf(tree, missing)).rejects.toThrow(/gone/);
    expect(await namesOf(tree, { ...missing, ignoreMissingComponents: true })).toEqual(['a-extra']);
  });

  test('commonMetadata goes over the metadata of every object', async () => {
    const labelled = JSON.stringify({
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: { name: 'a', labels: { team: 'b', kept: 'x' } },
    });
    const common = { labels: { team: 'a' }, annotations: { note: 'n' } };
    const [object] = await objectsOf({ 'a.yaml': labelled }, { commonMetadata: common });
    expect(object?.metadata).toEqual({
      name: 'a',
      labels: { team: 'a', kept: 'x' },
      annotations: { note: 'n' },
    });
  });

  test('buildMetadata', async () => {
    const [object] = await objectsOf({ 'a.yaml': configMap('a') }, { buildMetadata: ['originAnnotations'] });
    expect(object?.metadata.annotations).toEqual({ 'config.kubernetes.io/origin': 'path: a.yaml\n' });
  });
});

test('a kustomization file that only generates gives annotated objects, as with Flux', async () => {
  const files = { 'kustomization.yaml': 'configMapGenerator: [{name: a, literals: [x=1]}]\n' };
  const [object] = await objectsOf(files);
  expect(object?.metadata.annotations).toHaveProperty(['config.kubernetes.io/origin']);
});

test('managed-by labels name a version that the API server takes', async () => {
  const files = {
    'kustomization.yaml': 'resources: [a.yaml]\nbuildMetadata: [managedByLabel]\n',
    'a.yaml': configMap('a'),
  };
  const [object] = await objectsOf(files);
  expect(object?.metadata.labels?.['app.kubernetes.io/managed-by']).toMatch(/^kustomize-v\d+\.\d+\.\d+$/);
});

test('integers beyond 2^53 keep their digits', async () => {
  const [object] = await objectsOf({
    'a.yaml':
      'apiVersion: example.com/v1\nkind: Big\nmetadata: {name: a}\nspec: {big: 9223372036854775807, small: 5}\n',
  });
  expect(JSON.stringify(object?.spec)).toBe('{"big":9223372036854775807,"small":5}');
});

describe('the digest of a render', () => {
  const files = { 'a.yaml': configMap('a') };
  const digestOf = async (tree: Files, spec: Spec = {}) => (await renderFiles(engine, tree, spec)).digest;

  test('is equal for equal objects, whatever file they come from', async () => {
    const digest = await digestOf(files);
    expect(digest).toMatch(/^sha256:[0-9a-f]{64}$/);
    expect(await digestOf({ 'renamed.yaml': configMap('a'), 'README.md': 'text' })).toBe(digest);
  });

  test('changes with content and with commonMetadata', async () => {
    const digests = [
      await digestOf(files),
      await digestOf({ 'a.yaml': configMap('a', { key: 'other' }) }),
      await digestOf(files, { commonMetadata: { labels: { a: '1' } } }),
      await digestOf(files, { commonMetadata: { labels: { a: '2' } } }),
    ];
    expect(new Set(digests).size).toBe(4);
  });
});

describe('one build does not change another:', () => {
  const widget =
    'apiVersion: example.com/v1\nkind: Widget\nmetadata: {name: w}\nspec: {parts: [{id: a, size: 1}]}\n';
  const patch =
    'apiVersion: example.com/v1\nkind: Widget\nmetadata: {name: w}\nspec: {parts: [{id: b, size: 2}]}';
  const definition = {
    type: 'object',
    properties: {
      spec: {
        type: 'object',
        properties: {
          parts: {
            type: 'array',
            items: { type: 'object' },
            'x-kubernetes-patch-merge-key': 'id',
            'x-kubernetes-patch-strategy': 'merge',
          },
        },
      },
    },
    'x-kubernetes-group-version-kind': [{ group: 'example.com', version: 'v1', kind: 'Widget' }],
  };
  const own = { 'w.yaml': widget };
  const withSchema = {
    'w.yaml': widget,
    'kustomization.yaml': 'resources: [w.yaml]\nopenapi: {path: schema.json}\n',
    'schema.json': JSON.stringify({ definitions: { 'example.com.v1.Widget': definition } }),
  };
  const partsOf = async (files: Files) => {
    const objects = await objectsOf(files, { patches: [{ patch }] });
    return objects.flatMap(({ spec }) => (spec as { parts: { id: string }[] }).parts.map(({ id }) => id));
  };

  test('an OpenAPI schema of one is unknown to the next', async () => {
    expect(await partsOf(own)).toEqual(['b']);
    expect((await partsOf(withSchema)).sort()).toEqual(['a', 'b']);
    expect(await Promise.all(Array.from({ length: 6 }, () => partsOf(own)))).toEqual(Array(6).fill(['b']));
  });

  test('a built-in version of the schema neither', async () => {
    const version = {
      'kustomization.yaml': 'resources: [a.yaml]\nopenapi: {version: v9.9.9}\n',
      'a.yaml': configMap('a'),
    };
    await expect(objectsOf(version)).rejects.toThrow(/OpenAPI version/);
    expect(await namesOf({ 'a.yaml': configMap('a') })).toEqual(['a']);
  });
});
