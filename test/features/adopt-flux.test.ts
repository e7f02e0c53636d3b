import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { applyStaged } from '../../lib/apply/apply.ts';
import { judge } from '../../lib/apply/prune-verdict.ts';
import type { Inventory } from '../../lib/core/inventory.ts';
import { entryOf, union } from '../../lib/core/inventory.ts';
import type { KubernetesObject } from '../../lib/core/object.ts';
import { describe as describeObject, refOf } from '../../lib/core/object.ts';
import type { KubeClient } from '../../lib/kube/client.ts';
import { stopFlux } from '../../lib/pipeline/adoption.ts';
import type { ClusterConnection } from '../../lib/pipeline/context.ts';
import { isFluxController } from '../../lib/toolkit/bootstrap.ts';
import { applyOptions, clientOf } from '../support/apply.ts';
import { bootstrappedFiles, CONTROLLERS, components } from '../support/bootstrapped-fleet.ts';
import { runCli } from '../support/cli.ts';
import { useGitea } from '../support/cluster.ts';
import { eventually } from '../support/eventually.ts';
import type { GiteaClient } from '../support/gitea-client.ts';
import type { GiteaRepository } from '../support/gitea-repository.ts';
import { conditionOf, inventoryOf, isReadyAt, type Objects, objectsOf } from '../support/kube-objects.ts';
import { type Kubernetes, startKubernetes } from '../support/kubernetes.ts';
import { renderFiles, testEngine } from '../support/render.ts';
import { startSlipway, writeFleet } from '../support/slipway.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';

const HOME = 'flux-system';
const FLUX = components().filter(isFluxController);

let gitea: GiteaClient;
let repository: GiteaRepository;
let kubernetes: Kubernetes;
let client: KubeClient;
let cluster: Objects;
let directory: Awaited<ReturnType<typeof temporaryDirectory>>;
let config: string;

beforeAll(async () => {
  directory = await temporaryDirectory();
  [gitea, kubernetes] = await Promise.all([useGitea(), startKubernetes({ name: 'prod' })]);
  client = clientOf(kubernetes);
  cluster = objectsOf(kubernetes);
  repository = await gitea.createRepository('adopt-flux');
  const files = bootstrappedFiles(repository.url);
  const commit = await repository.commit(files);
  await actAsFlux(files, commit);
  config = await writeFleet(fleet(), 0);
});

afterAll(async () => {
  await client?.close();
  await kubernetes?.stop();
  await directory?.remove();
});

function fleet() {
  return {
    directory: directory.path,
    clusters: { prod: { kubeconfig: kubernetes.kubeconfig, path: './clusters/prod' } },
    repository: repository.url,
    gitea,
  };
}

function slipway(...args: string[]) {
  return runCli([...args, '--config', config], { cwd: directory.path });
}

/** Leaves the cluster as Flux would at a commit: objects, owners, field managers, inventories, statuses, leases. */
async function actAsFlux(files: Record<string, string>, commit: string): Promise<void> {
  const engine = testEngine();
  const revision = `main@sha1:${commit}`;
  const ready = [
    {
      type: 'Ready',
      status: 'True',
      reason: 'ReconciliationSucceeded',
      message: `Applied revision: ${revision}`,
      lastTransitionTime: '2026-01-01T00:00:00Z',
      observedGeneration: 1,
    },
  ];
  try {
    const admin = gitea.admin;
    const credentials = { username: admin.user, password: admin.token };
    const inventories = new Map<string, Inventory>();
    for (const [name, path] of [
      [HOME, './clusters/prod'],
      ['apps', './apps'],
    ] as const) {
      const { objects } = await renderFiles(engine, files, { path });
      const owner = { ...applyOptions().owner, name };
      await applyStaged(client, objects, applyOptions({ owner }));
      inventories.set(name, union({ entries: [] }, { entries: objects.map((object) => entryOf(object)) }));
    }
    await cluster.create('secrets', {
      apiVersion: 'v1',
      kind: 'Secret',
      metadata: { name: HOME, namespace: HOME },
      stringData: credentials,
    });
    const artifact = {
      path: `gitrepository/${HOME}/${HOME}/${commit}.tar.gz`,
      url: `http://source-controller.${HOME}.svc.cluster.local./gitrepository/${HOME}/${HOME}/${commit}.tar.gz`,
      revision,
      digest: `sha256:${'0'.repeat(64)}`,
      lastUpdateTime: '2026-01-01T00:00:00Z',
    };
    const status = (body: object) => ({ status: { conditions: ready, observedGeneration: 1, ...body } });
    await cluster.patch('gitrepositories', HOME, HOME, status({ artifact }), 'status');
    for (const [name, inventory] of inventories) {
      const applied = { lastAppliedRevision: revision, lastAttemptedRevision: revision, inventory };
      await cluster.patch('kustomizations', HOME, name, status(applied), 'status');
    }
    for (const name of CONTROLLERS) await renewLease(name, Date.now());
  } finally {
    await engine.close();
  }
}

async function renewLease(controller: string, now: number): Promise<void> {
  const lease = {
    apiVersion: 'coordination.k8s.io/v1',
    kind: 'Lease',
    metadata: { name: `${controller}-leader-election`, namespace: HOME },
    spec: {
      holderIdentity: `${controller}-0`,
      leaseDurationSeconds: 35,
      renewTime: new Date(now).toISOString().replace('Z', '000Z'),
    },
  };
  await client.apply(lease, { fieldManager: controller, force: true });
}

/** Every part of Flux, its CustomResourceDefinitions and namespace, by name, with what tells a write. */
async function partsOfFlux(): Promise<Record<string, string | undefined>> {
  const found = await Promise.all(
    components().map(async (object) => {
      const live = await client.getMetadata(refOf(object));
      return [describeObject(refOf(object)), live?.metadata.resourceVersion] as const;
    }),
  );
  return Object.fromEntries(found);
}

async function replicas(): Promise<(number | undefined)[]> {
  const found = await cluster.list<KubernetesObject & { spec: { replicas: number } }>('deployments', HOME);
  return found.map(({ spec }) => spec.replicas);
}

// The chapters build upon each other: a cluster goes from Flux to Slipway and back.
describe('a cluster of Flux', () => {
  test('is recognised, and can be adopted when nothing would change; looking changes nothing', async () => {
    const before = await partsOfFlux();
    const result = await slipway('adopt', 'prod', '--dry-run');
    expect(result).toMatchObject({ code: 0, stderr: '' });
    expect(result.stdout).toContain('Flux flux-system/kustomize-controller v1.7.0: 1 replicas, at work');
    expect(result.stdout).toMatch(
      /2 Kustomizations with \d+ objects: nothing would change\nprod can be adopted; nothing was done\n$/,
    );
    expect(await partsOfFlux()).toEqual(before);
  });

  test('is not adopted while Slipway would change something, or objects would be left without anybody', async () => {
    await cluster.patch('configmaps', 'apps', 'settings', { data: { mode: 'drifted' } });
    const release = {
      apiVersion: 'helm.toolkit.fluxcd.io/v2',
      kind: 'HelmRelease',
      metadata: { name: 'chart', namespace: 'apps' },
      spec: {},
    };
    await client.create(release);
    const result = await slipway('adopt', 'prod');
    expect(result.code).toBe(1);
    expect(result.stdout).toContain(
      'HelmRelease is not supported yet, and nobody would reconcile apps/chart',
    );
    expect(result.stdout).toContain(
      'Kustomization/flux-system/apps: what it has applied is not what stands in the cluster: ConfigMap/apps/settings configured (data.mode)',
    );
    expect(result.stderr).toContain('prod was not adopted');
    expect(await replicas()).toEqual([1, 1, 1, 1]);
    await client.delete(refOf(release));
    await cluster.patch('configmaps', 'apps', 'settings', { data: { mode: 'fast' } });
  });

  test('has parts that no prune deletes, though the inventory of Flux holds them and the repository may not', async () => {
    const rules = { owner: { ...applyOptions().owner, name: HOME }, protectedRefs: [], allowed: true };
    for (const part of FLUX) {
      const verdict = await judge(client, refOf(part), new Set(), rules);
      expect(verdict, describeObject(refOf(part))).toEqual({
        action: 'skipped',
        detail: 'a part of Flux, which is left alone',
      });
    }
  });

  test('is stopped: its controllers go to none, which is noted on them, and their leases are waited for', async () => {
    let now = Date.now();
    const waits: number[] = [];
    const ctx = {
      now: () => now,
      sleep: async (ms: number) => {
        waits.push(ms);
        now += ms;
      },
    };
    const connection = { client, config: { name: 'prod' } } as ClusterConnection;
    await stopFlux(ctx, connection);
    expect(waits.length).toBeGreaterThan(10);
    expect(await replicas()).toEqual([0, 0, 0, 0]);
    const controller = await cluster.get('deployments', HOME, 'kustomize-controller');
    expect(controller?.metadata.annotations?.['slipway.dev/replicas']).toBe('1');
    // Again, it finds nothing to do and forgets nothing.
    await stopFlux(ctx, connection);
    expect(
      (await cluster.get('deployments', HOME, 'kustomize-controller'))?.metadata.annotations,
    ).toMatchObject({
      'slipway.dev/replicas': '1',
    });
    for (const name of CONTROLLERS) await renewLease(name, Date.now());
    await expect(
      stopFlux({ now: () => Date.now(), sleep: () => Promise.reject(new Error('waited')) }, connection),
    ).rejects.toThrow('waited');
    for (const name of CONTROLLERS) await renewLease(name, Date.now() - 3_600_000);
  });

  test('is reconciled by Slipway: nothing is deleted, no part of Flux is touched, and it says so', async () => {
    const before = await partsOfFlux();
    const running = await startSlipway(fleet());
    try {
      const commit = await repository.commit({
        'apps/more.yaml': 'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: more, namespace: apps}\n',
      });
      for (const name of [HOME, 'apps'])
        await eventually(
          `${name} is applied`,
          async () => isReadyAt(await cluster.get('kustomizations', HOME, name), commit),
          {
            explain: async () => conditionOf(await cluster.get('kustomizations', HOME, name))?.message ?? '',
          },
        );
      expect(await cluster.names('configmaps', 'apps')).toEqual(expect.arrayContaining(['more', 'settings']));
      const after = await partsOfFlux();
      for (const name of Object.keys(before)) expect(after[name], name).toBeDefined();
      for (const part of FLUX) {
        const name = describeObject(refOf(part));
        expect(after[name], name).toBe(before[name]);
      }
      const inventory = inventoryOf(await cluster.get('kustomizations', HOME, HOME));
      expect(
        inventory.filter((id) =>
          /Deployment|ServiceAccount|ClusterRole|Service$|NetworkPolicy|Quota/.test(id),
        ),
      ).toEqual([]);
      expect(inventory).toContain(
        '_helmreleases.helm.toolkit.fluxcd.io_apiextensions.k8s.io_CustomResourceDefinition',
      );
      expect(running.log.join('\n')).toContain('parts of Flux in the source are left alone');
    } finally {
      await running.stop();
    }
    expect(
      (await client.getMetadata({ group: '', version: 'v1', kind: 'Secret', namespace: HOME, name: HOME }))
        ?.metadata.name,
    ).toBe(HOME);
  });

  test('keeps its parts when they leave the repository', async () => {
    const before = await partsOfFlux();
    const running = await startSlipway(fleet());
    try {
      const root = 'clusters/prod/flux-system';
      const commit = await repository.commit({
        [`${root}/gotk-components.yaml`]: null,
        [`${root}/kustomization.yaml`]: 'resources: [gotk-sync.yaml]\n',
      });
      await eventually('the root has come to the commit', async () => {
        const object = await cluster.get('kustomizations', HOME, HOME);
        return (
          object?.status?.lastAttemptedRevision?.endsWith(commit) && conditionOf(object)?.status !== 'Unknown'
        );
      });
      expect(await partsOfFlux()).toEqual(before);
    } finally {
      await running.stop();
    }
  });

  test('is given back: not while a Slipway is at work, then with the replicas it had', async () => {
    const holder = {
      holderIdentity: 'another',
      renewTime: new Date().toISOString().replace('Z', '000Z'),
      leaseDurationSeconds: 60,
    };
    await cluster.patch('leases', HOME, 'slipway', { spec: holder });
    const refused = await slipway('release', 'prod');
    expect(refused).toMatchObject({ code: 1, stdout: '' });
    expect(refused.stderr).toContain('Slipway another is at work in cluster prod');
    await cluster.patch('leases', HOME, 'slipway', { spec: { holderIdentity: '' } });
    const dry = await slipway('release', 'prod', '--dry-run');
    expect(dry.stdout).toContain('would scale Deployment/flux-system/kustomize-controller to 1');
    expect(await replicas()).toEqual([0, 0, 0, 0]);
    expect(await slipway('release', 'prod')).toMatchObject({ code: 0, stderr: '' });
    expect(await replicas()).toEqual([1, 1, 1, 1]);
    expect(await cluster.names('leases', HOME)).not.toContain('slipway');
    const again = await slipway('release', 'prod');
    expect(again).toMatchObject({
      code: 0,
      stdout: 'no controller of Flux in prod was scaled down by "slipway adopt"\n',
    });
  });

  test('is let go: no finalizer is left, everything is suspended, and all workloads survive the deletion of it all', async () => {
    const unconfirmed = await slipway('eject', 'prod');
    expect(unconfirmed).toMatchObject({ code: 1 });
    expect(unconfirmed.stderr).toContain('nothing was done; run it with --yes');
    expect((await cluster.get('kustomizations', HOME, 'apps'))?.metadata.finalizers).toEqual([
      'finalizers.fluxcd.io',
    ]);
    const ejected = await slipway('eject', 'prod', '--yes');
    expect(ejected).toMatchObject({ code: 0, stderr: '' });
    expect(ejected.stdout).toContain('suspended and let go Kustomization/flux-system/apps\n');
    for (const plural of ['kustomizations', 'gitrepositories'] as const) {
      for (const object of await cluster.list(plural)) {
        expect(object.metadata.finalizers ?? []).toEqual([]);
        expect(object.spec.suspend).toBe(true);
        await cluster.delete(plural, HOME, object.metadata.name);
      }
      expect(await cluster.list(plural)).toEqual([]);
    }
    expect(await cluster.names('configmaps', 'apps')).toEqual(expect.arrayContaining(['more', 'settings']));
    const again = await slipway('eject', 'prod', '--yes');
    expect(again).toMatchObject({ code: 0, stdout: 'there is nothing to let go in prod\n' });
    await rm(join(directory.path, 'data'), { recursive: true, force: true });
  });
});
