import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { runCli, writeFiles } from '../support/cli.ts';
import { useGitea } from '../support/cluster.ts';
import { eventually } from '../support/eventually.ts';
import { configMap, kustomization, namespace, yaml } from '../support/fleet-repository.ts';
import { inventoryOf, isReadyAt, type Objects, objectsOf } from '../support/kube-objects.ts';
import { type Kubernetes, startKubernetes } from '../support/kubernetes.ts';
import { startSlipway } from '../support/slipway.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';

const FILES = {
  'clusters/staging/apps.yaml': yaml(
    namespace('apps'),
    configMap('vars', 'flux-system', { mode: 'fast' }),
    kustomization('apps', './apps', { postBuild: { substituteFrom: [{ kind: 'ConfigMap', name: 'vars' }] } }),
    kustomization('extra', './extra'),
  ),
  'apps/settings.yaml': yaml(configMap('settings', 'apps', { mode: `\${mode}` }), {
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: { name: 'secret', namespace: 'apps' },
    stringData: { password: 'old-password' },
  }),
  'extra/one.yaml': yaml(configMap('one', 'apps', { a: '1' }), configMap('two', 'apps', { a: '2' })),
};

describe('slipway diff', () => {
  let kubernetes: Kubernetes;
  let cluster: Objects;
  let directory: Awaited<ReturnType<typeof temporaryDirectory>>;
  let checkout: string;
  let config: string;

  beforeAll(async () => {
    directory = await temporaryDirectory();
    const [gitea, started] = await Promise.all([useGitea(), startKubernetes({ name: 'staging' })]);
    kubernetes = started;
    cluster = objectsOf(kubernetes);
    const repository = await gitea.createRepository('cli-diff', { files: FILES });
    const slipway = await startSlipway({
      directory: directory.path,
      clusters: { staging: { kubeconfig: kubernetes.kubeconfig } },
      repository: repository.url,
      gitea,
    });
    config = join(directory.path, 'slipway.yaml');
    const commit = await repository.head();
    for (const name of ['flux-system', 'apps', 'extra'])
      await eventually(`${name} is applied`, async () =>
        isReadyAt(await cluster.get('kustomizations', 'flux-system', name), commit),
      );
    await slipway.stop();
  });

  afterAll(async () => {
    await kubernetes?.stop();
    await directory?.remove();
  });

  /** A checkout with changes, compared with the cluster. */
  async function diff(changes: Record<string, string | null>, ...args: string[]) {
    checkout = join(directory.path, 'checkout');
    await rm(checkout, { recursive: true, force: true });
    await writeFiles(checkout, { ...FILES, ...changes });
    return runCli(['diff', '--config', config, '--path', checkout, ...args], { cwd: directory.path });
  }

  async function versions(): Promise<string[]> {
    const objects = await Promise.all(
      (['configmaps', 'secrets', 'kustomizations'] as const).map((plural) => cluster.list(plural)),
    );
    return objects.flat().map(({ metadata }) => `${metadata.name} ${metadata.resourceVersion}`);
  }

  test('says that there are no changes, with exit code 0', async () => {
    expect(await diff({})).toEqual({ code: 0, stdout: 'staging\n  no changes\n', stderr: '' });
  });

  test('shows what is created, changed and deleted, through variables that change too; writes nothing; exit code 1', async () => {
    const before = await versions();
    const result = await diff({
      'clusters/staging/apps.yaml': FILES['clusters/staging/apps.yaml'].replace('fast', 'slow'),
      'extra/one.yaml': yaml(
        configMap('one', 'apps', { a: '1' }),
        configMap('three', 'new', {}),
        namespace('new'),
      ),
    });
    expect(result.code).toBe(1);
    expect(result.stdout).toMatch(/change ConfigMap\/flux-system\/vars/);
    expect(result.stdout).toMatch(
      /change ConfigMap\/apps\/settings {2}data\.mode\n[\s\S]*-\s+mode: fast\n\s+\+\s+mode: slow/,
    );
    expect(result.stdout).toMatch(/create Namespace\/new\n/);
    expect(result.stdout).toMatch(/create ConfigMap\/new\/three\n/);
    expect(result.stdout).toMatch(/delete ConfigMap\/apps\/two\n/);
    expect(result.stdout).not.toMatch(/ConfigMap\/apps\/one\b/);
    expect(await versions()).toEqual(before);
  });

  test('masks the values of Secrets, old and new', async () => {
    const result = await diff({
      'apps/settings.yaml': FILES['apps/settings.yaml'].replace('old-password', 'new-password'),
    });
    expect(result.code).toBe(1);
    expect(result.stdout).toMatch(/change Secret\/apps\/secret/);
    expect(result.stdout).toContain('*** (after)');
    const hidden = ['old-password', 'new-password'].flatMap((text) => [
      text,
      Buffer.from(text).toString('base64'),
    ]);
    for (const text of hidden) expect(result.stdout).not.toContain(text);
  });

  test('shows what a removed Kustomization takes with it', async () => {
    const kept = FILES['clusters/staging/apps.yaml'].split('---\n').slice(0, -1).join('---\n');
    const result = await diff({ 'clusters/staging/apps.yaml': kept }, '-o', 'json');
    expect(result.code).toBe(1);
    const [{ kustomizations }] = JSON.parse(result.stdout);
    const removed = kustomizations.find(({ state }: { state: string }) => state === 'removed');
    expect(removed).toMatchObject({
      key: 'Kustomization/flux-system/extra',
      entries: [{ action: 'deleted' }, { action: 'deleted' }],
    });
    expect(inventoryOf(await cluster.get('kustomizations', 'flux-system', 'extra'))).toHaveLength(2);
  });

  test('an object that moves to another Kustomization is not deleted', async () => {
    const result = await diff(
      {
        'extra/one.yaml': yaml(configMap('one', 'apps', { a: '1' })),
        'apps/two.yaml': yaml(configMap('two', 'apps', { a: '2' })),
      },
      '-o',
      'json',
    );
    const [{ kustomizations }] = JSON.parse(result.stdout);
    const entries = kustomizations.flatMap((one: { entries: { action: string }[] }) => one.entries);
    expect(entries.filter(({ action }: { action: string }) => action === 'deleted')).toEqual([]);
    expect(result.code).toBe(1);
  });

  test('what fails or would be refused is told, with exit code 2', async () => {
    const broken = await diff({ 'apps/settings.yaml': 'a: [\n' }, 'apps');
    expect(broken.code).toBe(2);
    expect(broken.stdout).toMatch(
      /Kustomization\/flux-system\/apps: failed\n.*build of path ".\/apps" failed/,
    );
    const refused = await diff({
      'extra/one.yaml': yaml({ ...configMap('one', 'apps', {}), data: { a: ['no text'] } }),
    });
    expect(refused.code).toBe(2);
    expect(refused.stdout).toMatch(/refused ConfigMap\/apps\/one/);
    const none = await diff({}, 'nothing');
    expect(none).toMatchObject({
      code: 2,
      stderr: 'slipway: there is no Kustomization nothing in the checkout\n',
    });
  });
});
