import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { validateRepository } from '../../lib/pipeline/validate-repository.ts';
import type { Engine } from '../../lib/render/engine.ts';
import { localTree } from '../../lib/source/local-tree.ts';
import { runCli, writeFiles } from '../support/cli.ts';
import { configMap, kustomization, namespace, yaml } from '../support/fleet-repository.ts';
import { testEngine } from '../support/render.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';

let engine: Engine;
beforeAll(() => {
  engine = testEngine();
});
afterAll(() => engine.close());

const GOOD = {
  'clusters/staging/apps.yaml': yaml(
    kustomization('platform', './platform'),
    kustomization('apps', './apps', { dependsOn: [{ name: 'platform' }] }),
  ),
  'platform/namespace.yaml': yaml(namespace('apps')),
  'apps/settings.yaml': yaml(configMap('settings', 'apps', { mode: 'fast' })),
};

async function check(files: Record<string, string>) {
  const entries = Object.entries(files).map(([path, text]) => ({ path, data: Buffer.from(text) }));
  return validateRepository(engine, localTree(entries));
}

/** `error clusters/staging/bad.yaml:3 …`, the message cut to what it begins with. */
async function findings(files: Record<string, string>): Promise<string[]> {
  const { findings: found } = await check(files);
  return found.map(({ severity, file, line, message }) =>
    [severity, ...(file === undefined ? [] : [`${file}:${line}`]), message].join(' '),
  );
}

describe('slipway validate', () => {
  test('finds nothing in a sound repository, and builds all of it', async () => {
    const { findings: found, clusters } = await check(GOOD);
    expect(found).toEqual([]);
    expect(clusters).toEqual([{ name: 'clusters/staging', kustomizations: 3, rendered: 3 }]);
  });

  test('names unknown fields, missing ones and unknown kinds of the Toolkit with file and line', async () => {
    const bad = yaml(
      {
        ...kustomization('bad', './apps'),
        spec: {
          interval: '1m',
          prun: true,
          path: './apps',
          sourceRef: { kind: 'GitRepository', name: 'flux-system' },
        },
      },
      {
        apiVersion: 'helm.toolkit.fluxcd.io/v2',
        kind: 'HelmRelease',
        metadata: { name: 'chart', namespace: 'apps' },
        spec: {},
      },
      { apiVersion: 'kustomize.toolkit.fluxcd.io/v1', kind: 'Kustomisation', metadata: { name: 'typo' } },
    );
    expect(await findings({ ...GOOD, 'clusters/staging/bad.yaml': bad })).toEqual([
      'error clusters/staging/bad.yaml:6 Kustomization/flux-system/bad: spec.prune: is required',
      'error clusters/staging/bad.yaml:8 Kustomization/flux-system/bad: spec.prun: unknown field; did you mean prune?',
      expect.stringMatching(
        /^error clusters\/staging\/bad\.yaml:15 HelmRelease\/apps\/chart: kind: .* not supported yet/,
      ),
      expect.stringContaining(
        'error clusters/staging/bad.yaml:22 Kustomisation/typo: kind: there is no kind Kustomisation',
      ),
    ]);
  });

  test('tells a fault in the YAML with its line, and the build that fails of it', async () => {
    const found = await findings({ ...GOOD, 'apps/broken.yaml': 'a: 1\nb: [1\n' });
    expect(found).toEqual([
      expect.stringMatching(/^error apps\/broken\.yaml:3 /),
      expect.stringMatching(
        /^error Kustomization\/flux-system\/apps: build of path ".\/apps" failed: apps\/broken\.yaml/,
      ),
    ]);
  });

  test('follows references: sources, dependencies that do not exist, and circles', async () => {
    const found = await findings({
      ...GOOD,
      'clusters/staging/more.yaml': yaml(
        kustomization('one', './apps', { dependsOn: [{ name: 'two' }], prune: false }),
        kustomization('two', './none', { dependsOn: [{ name: 'three' }] }),
        kustomization('three', './platform', { dependsOn: [{ name: 'one' }, { name: 'platfrm' }] }),
        kustomization('far', './x', { sourceRef: { kind: 'GitRepository', name: 'flux-sytem' } }),
        kustomization('oci', './x', { sourceRef: { kind: 'OCIRepository', name: 'images' } }),
      ),
    });
    expect(found).toEqual(
      expect.arrayContaining([
        'error Kustomization/flux-system/two: build of path "./none" failed: path "none" is not a directory of the source',
        'error Kustomization/flux-system/three: dependsOn names Kustomization/flux-system/platfrm, which does not exist; did you mean Kustomization/flux-system/platform?',
        'error Kustomization/flux-system/far: its source GitRepository/flux-system/flux-sytem is not in the repository; did you mean GitRepository/flux-system/flux-system?',
        'error Kustomization/flux-system/oci: sources of kind OCIRepository are not supported yet',
        expect.stringMatching(
          /^error Kustomization\/flux-system\/one: dependsOn goes round in a circle \(.*one → .*two → .*three → .*one\)/,
        ),
      ]),
    );
    const duplicates = found.filter((line) => line.includes('both apply'));
    expect(duplicates).toEqual([
      expect.stringMatching(/^warning .*apps and .*one both apply ConfigMap\/apps\/settings; /),
      expect.stringMatching(/^warning .*platform and .*three both apply Namespace\/apps; /),
    ]);
  });

  test('takes variables from the repository, and is lenient with those that only a cluster knows', async () => {
    const from = (name: string) => ({ postBuild: { substituteFrom: [{ kind: 'ConfigMap', name }] } });
    const { findings: found, clusters } = await check({
      ...GOOD,
      'clusters/staging/vars.yaml': yaml(
        configMap('known', 'flux-system', { path: './platform' }),
        kustomization('later', './nested', from('known')),
        kustomization('open', './open', from('elsewhere')),
        kustomization('optional', './open', {
          targetNamespace: 'other',
          postBuild: {
            substituteFrom: [{ kind: 'Secret', name: 'none', optional: true }],
            substitute: { size: '1' },
          },
        }),
      ),
      'nested/child.yaml': yaml(kustomization('child', `\${path}`, { targetNamespace: 'elsewhere' })),
      'open/config.yaml': `apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: open\n  namespace: apps\ndata:\n  size: "\${size}"\n`,
    });
    expect(found.map(({ message }) => message)).toEqual([
      'Kustomization/flux-system/open: ConfigMap/flux-system/elsewhere, which postBuild.substituteFrom names, is not in the repository; its variables were not checked',
    ]);
    expect(clusters).toEqual([{ name: 'clusters/staging', kustomizations: 7, rendered: 7 }]);
  });

  test('takes patches of Toolkit objects for what they are, and judges what they make', async () => {
    const found = await findings({
      ...GOOD,
      'clusters/staging/kustomization.yaml': 'resources: [apps.yaml]\npatches: [{path: patch.yaml}]\n',
      'clusters/staging/patch.yaml': yaml({
        apiVersion: 'kustomize.toolkit.fluxcd.io/v1',
        kind: 'Kustomization',
        metadata: { name: 'apps', namespace: 'flux-system' },
        spec: { intervall: '5m' },
      }),
    });
    expect(found).toEqual([
      'error Kustomization/flux-system/apps: spec.intervall: unknown field; did you mean interval? (rendered by Kustomization/flux-system/flux-system)',
    ]);
  });

  test('warns of a plain Secret where others are encrypted, and builds what is encrypted without keys', async () => {
    const encrypted = readFileSync(
      join(import.meta.dirname, '../fixtures/sops/encrypted/secret.yaml'),
      'utf8',
    );
    const found = await findings({
      'clusters/staging/apps.yaml': yaml(
        kustomization('apps', './apps', { decryption: { provider: 'sops', secretRef: { name: 'keys' } } }),
      ),
      'apps/encrypted.yaml': encrypted,
      'apps/plain.yaml': `# plain\n${yaml({ apiVersion: 'v1', kind: 'Secret', metadata: { name: 'plain', namespace: 'apps' }, stringData: { a: 'b' } })}`,
    });
    expect(found).toEqual([
      expect.stringMatching(
        /^warning apps\/plain\.yaml:2 Secret\/apps\/plain is not encrypted, though Kustomization\/flux-system\/apps/,
      ),
    ]);
  });

  test('exits with 1 when there are errors, prints JSON, and reads the fleet file where there is one', async () => {
    const directory = await temporaryDirectory();
    try {
      await writeFiles(directory.path, GOOD);
      const good = await runCli(['validate'], { cwd: directory.path });
      expect(good).toMatchObject({ code: 0, stderr: '' });
      expect(good.stdout).toContain(
        'clusters/staging: 3 of 3 Kustomizations built\n3 files: 0 errors, 0 warnings',
      );
      const fleet = (path: string) =>
        `clusters: [{name: prod, kubeconfig: "env:K", source: {url: "https://git.example.com/fleet", path: ${path}}}]\n`;
      await writeFiles(directory.path, { 'slipway.yaml': fleet('./clusters/prod') });
      const bad = await runCli(['validate', '-o', 'json'], { cwd: directory.path });
      expect(bad.code).toBe(1);
      expect(JSON.parse(bad.stdout)).toMatchObject({
        clusters: [{ name: 'prod', kustomizations: 1, rendered: 0 }],
        findings: [{ severity: 'error', cluster: 'prod', object: 'Kustomization/flux-system/flux-system' }],
      });
      await writeFiles(directory.path, { 'slipway.yaml': 'clusters: [{nam: prod}]\n' });
      const broken = await runCli(['validate'], { cwd: directory.path });
      expect(broken.code).toBe(1);
      expect(broken.stderr).toMatch(
        /slipway\.yaml:1:\d+: clusters\[0\]\.nam: unknown field; did you mean name\?/,
      );
    } finally {
      await directory.remove();
    }
  });
});
