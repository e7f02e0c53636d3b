import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { parseAllDocuments } from 'yaml';
import { buildLocal } from '../../lib/pipeline/build-local.ts';
import type { Engine } from '../../lib/render/engine.ts';
import { localTree } from '../../lib/source/local-tree.ts';
import { runCli, writeFiles } from '../support/cli.ts';
import { configMap, kustomization, yaml } from '../support/fleet-repository.ts';
import { testEngine } from '../support/render.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';

let engine: Engine;
beforeAll(() => {
  engine = testEngine();
});
afterAll(() => engine.close());

const FILES = {
  'clusters/staging/apps.yaml': yaml(
    kustomization('apps', './apps', { commonMetadata: { labels: { env: 'staging' } } }),
  ),
  'clusters/production/apps.yaml': yaml(kustomization('apps', './apps')),
  'clusters/production/same.yaml': yaml(kustomization('same', './same')),
  'clusters/staging/same.yaml': yaml(kustomization('same', './same')),
  'apps/settings.yaml': yaml(configMap('settings', 'apps', { mode: 'fast' })),
  'same/settings.yaml': yaml(configMap('same', 'apps', { mode: `\${mode}` })),
};

function build(files: Record<string, string>, name: string, more: object = {}) {
  const entries = Object.entries(files).map(([path, text]) => ({ path, data: Buffer.from(text) }));
  return buildLocal(engine, localTree(entries), undefined, { name, ...more });
}

test('a Kustomization is printed as it would be applied, with the labels of its owner', async () => {
  const { objects } = await build(FILES, 'apps', { cluster: 'clusters/staging' });
  expect(objects).toEqual([
    {
      ...configMap('settings', 'apps', { mode: 'fast' }),
      metadata: {
        name: 'settings',
        namespace: 'apps',
        labels: {
          env: 'staging',
          'kustomize.toolkit.fluxcd.io/name': 'apps',
          'kustomize.toolkit.fluxcd.io/namespace': 'flux-system',
        },
      },
    },
  ]);
});

test('where clusters differ, one must be chosen; where they do not, none', async () => {
  await expect(build(FILES, 'flux-system/apps')).rejects.toThrow(
    'Kustomization/flux-system/apps differs between the clusters clusters/production, clusters/staging; choose one with --cluster',
  );
  expect((await build(FILES, 'same')).objects).toHaveLength(1);
  await expect(build(FILES, 'same', { cluster: 'x' })).rejects.toThrow(
    'there is no cluster x; there are: clusters/production, clusters/staging',
  );
});

test('a directory is built as it is, without anybody’s labels', async () => {
  for (const name of ['./apps', 'apps/'])
    expect((await build(FILES, name)).objects).toEqual([configMap('settings', 'apps', { mode: 'fast' })]);
});

test('a name that does not exist is answered with the one that was meant', async () => {
  await expect(build(FILES, 'appz')).rejects.toThrow(
    'there is no Kustomization and no directory appz in the repository; did you mean apps?',
  );
});

test('variables that only a cluster knows stay as they are, and it says so; known ones are put in', async () => {
  const postBuild = { substituteFrom: [{ kind: 'ConfigMap', name: 'vars' }], substitute: { size: 'big' } };
  const files = {
    'clusters/a/apps.yaml': yaml(kustomization('apps', './apps', { postBuild })),
    'apps/c.yaml': yaml(
      configMap('c', 'apps', { a: `\${mode}`, b: `\${size}`, c: `$\${escaped}`, d: `\${none:=default}` }),
    ),
  };
  const open = await build(files, 'apps');
  expect(open.objects[0]?.data).toEqual({ a: `\${mode}`, b: 'big', c: `\${escaped}`, d: 'default' });
  expect(open.notes).toEqual([
    'the variables of ConfigMap/flux-system/vars are not known here and stay as they are',
  ]);
  const known = await build(
    {
      ...files,
      'clusters/a/vars.yaml': yaml(configMap('vars', 'flux-system', { mode: 'fast', none: 'given' })),
    },
    'apps',
  );
  expect(known.objects[0]?.data).toEqual({ a: 'fast', b: 'big', c: `\${escaped}`, d: 'given' });
  expect(known.notes).toEqual([]);
});

test('encrypted values are masked, and nothing of what SOPS keeps is printed', async () => {
  const encrypted = readFileSync(join(import.meta.dirname, '../fixtures/sops/encrypted/secret.yaml'), 'utf8');
  const { objects, notes } = await build(
    {
      'clusters/a/apps.yaml': yaml(
        kustomization('apps', './apps', { decryption: { provider: 'sops', secretRef: { name: 'keys' } } }),
      ),
      'apps/secret.yaml': encrypted,
    },
    'apps',
  );
  const text = JSON.stringify(objects);
  expect(text).not.toMatch(/ENC\[|sops|age1|lastmodified/);
  expect(text).toContain(Buffer.from('**SOPS**').toString('base64'));
  expect(notes).toEqual(['1 objects are encrypted; their values are masked']);
});

test('the command prints YAML documents, or JSON, and takes the Kustomization from a file', async () => {
  const directory = await temporaryDirectory();
  try {
    const mine = yaml(kustomization('mine', './apps', { namePrefix: 'my-' }));
    await writeFiles(directory.path, { ...FILES, 'mine.txt': mine });
    const built = await runCli(['build', 'mine', '--kustomization-file', 'mine.txt'], {
      cwd: directory.path,
    });
    expect(built).toMatchObject({ code: 0, stderr: '' });
    const documents = parseAllDocuments(built.stdout).map((one) => one.toJS());
    expect(documents).toMatchObject([{ kind: 'ConfigMap', metadata: { name: 'my-settings' } }]);
    const json = await runCli(['build', './same', '-o', 'json'], { cwd: directory.path });
    expect(JSON.parse(json.stdout)).toMatchObject([
      { metadata: { name: 'same' }, data: { mode: `\${mode}` } },
    ]);
    const none = await runCli(['build', 'none'], { cwd: directory.path });
    expect(none).toMatchObject({ code: 1, stdout: '' });
  } finally {
    await directory.remove();
  }
});
