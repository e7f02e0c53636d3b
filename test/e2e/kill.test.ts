import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import process from 'node:process';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { useGitea } from '../support/cluster.ts';
import { eventually } from '../support/eventually.ts';
import { configMap, kustomization, namespace, yaml } from '../support/fleet-repository.ts';
import type { GiteaRepository } from '../support/gitea-repository.ts';
import { conditionOf, inventoryOf, isReadyAt, type Objects, objectsOf } from '../support/kube-objects.ts';
import { type KubeProxy, type PassingWrite, startKubeProxy } from '../support/kube-proxy.ts';
import { type Kubernetes, startKubernetes } from '../support/kubernetes.ts';
import { freePort } from '../support/ports.ts';
import { type Server, startServer, waitUntilReady } from '../support/process.ts';
import { WEBHOOK_SECRET, writeFleet } from '../support/slipway.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';

const CLI = join(import.meta.dirname, '..', '..', 'functions', 'cli.ts');

describe('slipway serve, killed by SIGKILL', () => {
  let kubernetes: Kubernetes;
  let proxy: KubeProxy;
  let objects: Objects;
  let repository: GiteaRepository;
  let directory: { path: string; remove(): Promise<void> };
  let config: string;
  let url: string;
  let server: Server | undefined;

  beforeAll(async () => {
    directory = await temporaryDirectory();
    const [gitea, started] = await Promise.all([useGitea(), startKubernetes({ name: 'prod' })]);
    kubernetes = started;
    objects = objectsOf(kubernetes);
    proxy = await startKubeProxy(kubernetes);
    repository = await gitea.createRepository(`kill-${randomBytes(4).toString('hex')}`, { files: files(0) });
    const port = await freePort();
    url = `http://127.0.0.1:${port}`;
    const clusters = { prod: { kubeconfig: proxy.kubeconfig } };
    config = await writeFleet(
      { directory: directory.path, clusters, repository: repository.url, gitea },
      port,
    );
    await repository.createWebhook(`${url}/webhooks/gitea`, WEBHOOK_SECRET);
    await start();
    await isRight(0, await repository.head());
  });

  afterAll(async () => {
    await server?.stop('SIGTERM');
    await proxy?.stop();
    await kubernetes?.stop();
    await directory?.remove();
  });

  async function start(): Promise<void> {
    server = await startServer({
      name: 'slipway',
      command: process.execPath,
      args: [CLI, 'serve', '--config', config],
      logFile: join(directory.path, 'slipway.log'),
      cwd: directory.path,
    });
    await waitUntilReady(server, async () => (await fetch(`${url}/readyz`)).ok);
  }

  /** Two objects that stay, one that is there every other time, and a child Kustomization with one more. */
  function files(round: number): Record<string, string | null> & Record<string, string> {
    const value = `${round}`;
    return {
      'clusters/prod/app.yaml': yaml(kustomization('app', './app')),
      'app/namespace.yaml': yaml(namespace('app')),
      'app/one.yaml': yaml(configMap('one', 'app', { value })),
      'app/sometimes.yaml':
        round % 2 === 0 ? yaml(configMap('sometimes', 'app', { value })) : '# not this time\n',
      'app/child.yaml': yaml(kustomization('child', './child')),
      'child/leaf.yaml': yaml(configMap('leaf', 'app', { value })),
    };
  }

  async function mapsNow(): Promise<Record<string, string>> {
    const items = await objects.list<{ metadata: { name: string }; data: Record<string, string> }>(
      'configmaps',
      'app',
    );
    return Object.fromEntries(items.map(({ metadata, data }) => [metadata.name, data.value ?? '']).sort());
  }

  /** Waits until cluster, inventories and statuses are as a commit says. */
  async function isRight(round: number, commit: string): Promise<void> {
    const value = `${round}`;
    const maps = { leaf: value, one: value, ...(round % 2 === 0 ? { sometimes: value } : {}) };
    const own = [
      '_app__Namespace',
      'app_one__ConfigMap',
      'flux-system_child_kustomize.toolkit.fluxcd.io_Kustomization',
    ];
    const wanted = {
      maps,
      app: [...own, ...(round % 2 === 0 ? ['app_sometimes__ConfigMap'] : [])].sort(),
      child: ['app_leaf__ConfigMap'],
      status: ['success'],
    };
    const look = async () => {
      const [app, child] = await Promise.all(
        ['app', 'child'].map((name) => objects.get('kustomizations', 'flux-system', name)),
      );
      const found = {
        maps: await mapsNow(),
        app: inventoryOf(app),
        child: inventoryOf(child),
        status: (await repository.statuses(commit)).map(({ status }) => status),
      };
      return { found, ready: [app, child].every((one) => isReadyAt(one, commit)), app, child };
    };
    await eventually(
      `round ${round} is right`,
      async () => {
        const { found, ready } = await look();
        return ready && JSON.stringify(found) === JSON.stringify(wanted);
      },
      {
        deadlineMs: 150_000,
        explain: async () => {
          const { found, app, child } = await look();
          return JSON.stringify([found, conditionOf(app), conditionOf(child), server?.logTail(20)], null, 1);
        },
      },
    );
  }

  const places: [number, PassingWrite['when']][] = [2, 4, 5, 8, 10, 12].flatMap((number) => [
    [number, number % 4 === 0 ? 'before' : 'after'],
  ]);

  test('at any of its writes to the cluster, comes back and brings everything to what the commit says', async () => {
    const uid = async (name: string) => (await objects.get('configmaps', 'app', name))?.metadata.uid;
    const uids = await Promise.all(['one', 'leaf'].map(uid));
    let round = 0;
    const kills: string[] = [];
    for (const [number, when] of places) {
      round += 1;
      const killed = Promise.withResolvers<void>();
      const victim = server;
      proxy.count = 0;
      proxy.onWrite = (write) => {
        if (write.number < number || (write.number === number && write.when !== when)) return false;
        if (victim?.running()) {
          if (write.number === number) kills.push(`${when} ${write.method} ${write.path}`);
          victim.kill('SIGKILL');
          killed.resolve();
        }
        // What the dead process had on its way is cut off with it.
        return true;
      };
      const commit = await repository.commit(files(round));
      await killed.promise;
      await victim?.exited;
      proxy.onWrite = undefined;
      await start();
      await isRight(round, commit);
      expect(await Promise.all(['one', 'leaf'].map(uid))).toEqual(uids);
    }
    expect(kills).toHaveLength(places.length);
    expect(round).toBe(places.length);
  }, 600_000);
});
