import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { useGitea } from '../support/cluster.ts';
import { eventually } from '../support/eventually.ts';
import { configMap, kustomization, namespace, yaml } from '../support/fleet-repository.ts';
import type { GiteaClient } from '../support/gitea-client.ts';
import type { GiteaRepository } from '../support/gitea-repository.ts';
import {
  conditionOf,
  inventoryOf,
  isReadyAt,
  type Objects,
  objectsOf,
  type ToolkitObject,
} from '../support/kube-objects.ts';
import { type Kubernetes, startKubernetes } from '../support/kubernetes.ts';
import { type Slipway, startSlipway, WEBHOOK_SECRET } from '../support/slipway.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';

const CLUSTERS = ['staging', 'production'] as const;
type ClusterName = (typeof CLUSTERS)[number];

describe('from a merge to the clusters', () => {
  let gitea: GiteaClient;
  let repository: GiteaRepository;
  let webhook: number;
  let kubernetes: Kubernetes[] = [];
  let clusters: Record<ClusterName, Objects>;
  let slipway: Slipway;
  let removeDirectory: (() => Promise<void>) | undefined;

  beforeAll(async () => {
    const directory = await temporaryDirectory();
    removeDirectory = directory.remove;
    const [client, ...started] = await Promise.all([
      useGitea(),
      ...CLUSTERS.map((name) => startKubernetes({ name })),
    ]);
    gitea = client;
    kubernetes = started;
    const [staging, production] = started as [Kubernetes, Kubernetes];
    clusters = { staging: objectsOf(staging), production: objectsOf(production) };
    repository = await gitea.createRepository('merge-to-deploy', { files: firstFiles() });
    slipway = await startSlipway({
      directory: directory.path,
      clusters: {
        staging: { kubeconfig: staging.kubeconfig },
        production: { kubeconfig: production.kubeconfig },
      },
      repository: repository.url,
      gitea,
    });
    webhook = await repository.createWebhook(`${slipway.url}/webhooks/gitea`, WEBHOOK_SECRET, [
      'push',
      'pull_request',
    ]);
  });

  afterAll(async () => {
    await slipway?.stop();
    await Promise.all(kubernetes.map((one) => one.stop()));
    await removeDirectory?.();
  });

  function on<T>(work: (objects: Objects, name: ClusterName) => Promise<T>): Promise<T[]> {
    return Promise.all(CLUSTERS.map((name) => work(clusters[name], name)));
  }

  /** Waits until both clusters have applied a commit, root and child. */
  async function applied(commit: string): Promise<void> {
    await on((objects, name) =>
      eventually(`${name} is at ${commit}`, () => areReady(objects, commit), {
        explain: () => whatIs(objects),
      }),
    );
  }

  async function areReady(objects: Objects, commit: string): Promise<boolean> {
    const found = await Promise.all(
      ['flux-system', 'shop'].map((name) => objects.get('kustomizations', 'flux-system', name)),
    );
    return found.every((item) => isReadyAt(item, commit));
  }

  async function messageIn(objects: Objects): Promise<string | undefined> {
    return (await objects.get<{ data: { message: string } }>('configmaps', 'shop', 'greeting'))?.data.message;
  }

  async function statusesOf(commit: string): Promise<Record<string, string>> {
    return Object.fromEntries(
      (await repository.statuses(commit)).map(({ context, status }) => [context, status]),
    );
  }

  async function hasStatuses(commit: string, wanted: Record<string, string>): Promise<void> {
    await eventually(
      `statuses of ${commit}: ${JSON.stringify(wanted)}`,
      async () => JSON.stringify(await statusesOf(commit)) === JSON.stringify(wanted),
      { explain: async () => JSON.stringify(await repository.statusHistory(commit), null, 1) },
    );
  }

  const green = { 'slipway/production': 'success', 'slipway/staging': 'success' };

  test('two empty clusters get everything that the repository says for them', async () => {
    const head = await repository.head();
    await applied(head);
    expect(await on(messageIn)).toEqual(['hello staging', 'hello production']);
    await hasStatuses(head, green);
    const [inventory] = await on(async (objects) =>
      inventoryOf(await objects.get('kustomizations', 'flux-system', 'shop')),
    );
    expect(inventory).toEqual(['_shop__Namespace', 'shop_greeting__ConfigMap', 'shop_settings__ConfigMap']);
  });

  test('a push is applied to both clusters, and its commit goes from pending to success', async () => {
    const commit = await repository.commit(greeting('second'));
    await applied(commit);
    expect(await on(messageIn)).toEqual(['second staging', 'second production']);
    await hasStatuses(commit, green);
    const history = await repository.statusHistory(commit);
    for (const name of CLUSTERS) {
      const states = history
        .filter(({ context }) => context === `slipway/${name}`)
        .map(({ status }) => status);
      expect(states[0]).toBe('pending');
      expect(states.at(-1)).toBe('success');
      expect(states.filter((state) => state === 'success')).toHaveLength(1);
    }
    const [latest] = history.filter(({ context }) => context === 'slipway/staging').slice(-1);
    expect(latest?.description).toMatch(/1 changed/);
    expect(latest?.targetUrl).toContain(`${slipway.url}/runs/`);
  });

  test('a merged pull request is named in the runs that it caused', async () => {
    const number = await repository.openPullRequest('change', greeting('merged'), 'Say merged');
    const commit = await repository.merge(number);
    await applied(commit);
    expect(await on(messageIn)).toEqual(['merged staging', 'merged production']);
    await hasStatuses(commit, green);
    const runs = await eventually('runs of the commit', async () => {
      const found = (await slipway.ctx.index.runs.list({ cluster: 'production', limit: 50 })).filter(
        ({ object, revision }) => object.name === 'shop' && revision?.endsWith(commit),
      );
      return found.length > 0 && found;
    });
    expect(runs[0]?.origin).toMatchObject({ pullRequest: expect.stringContaining(`${number}`) });
    expect(runs[0]?.changes.map(({ action, ref }) => `${action} ${ref.name}`)).toEqual([
      'configured greeting',
    ]);
  });

  test('a build that fails makes the commit red with the name of the object, and nothing is lost', async () => {
    const before = await on(uids);
    const bad = await repository.commit({
      'apps/shop/greeting.yaml': 'apiVersion: v1\nkind: ConfigMap\nmetadata: [this is no map\n',
      'apps/shop/settings.yaml': null,
    });
    await eventually('red statuses', async () => {
      const states = await statusesOf(bad);
      return states['slipway/staging'] === 'failure' && states['slipway/production'] === 'failure';
    });
    const descriptions = (await repository.statuses(bad)).map(({ description }) => description);
    expect(descriptions.every((text) => text.includes('Kustomization/flux-system/shop'))).toBe(true);
    const [ready] = await on(async (objects) =>
      conditionOf(await objects.get('kustomizations', 'flux-system', 'shop')),
    );
    expect(ready).toMatchObject({ status: 'False', reason: 'BuildFailed' });
    expect(await on(uids)).toEqual(before);
    expect(await on(messageIn)).toEqual(['merged staging', 'merged production']);

    // A revert of the bad commit rolls forward to what was there.
    const fixed = await repository.commit({ ...greeting('merged'), 'apps/shop/settings.yaml': settings() });
    await applied(fixed);
    await hasStatuses(fixed, green);
    expect(await on(uids)).toEqual(before);
    expect((await statusesOf(bad))['slipway/staging']).toBe('failure');
  });

  test('what a commit adds and removes, its revert takes back', async () => {
    const add = await repository.commit({
      'apps/shop/extra.yaml': yaml(configMap('extra', 'shop', { a: '1' })),
      'apps/shop/kustomization.yaml': resources('namespace', 'greeting', 'extra'),
    });
    await applied(add);
    expect(await on((objects) => objects.names('configmaps', 'shop'))).toEqual([
      ['extra', 'greeting'],
      ['extra', 'greeting'],
    ]);
    const revert = await repository.commit({
      'apps/shop/extra.yaml': null,
      'apps/shop/kustomization.yaml': resources('namespace', 'greeting', 'settings'),
    });
    await applied(revert);
    expect(await on((objects) => objects.names('configmaps', 'shop'))).toEqual([
      ['greeting', 'settings'],
      ['greeting', 'settings'],
    ]);
    await hasStatuses(revert, green);
  });

  test('a push to a branch that nobody watches changes nothing and gets no status', async () => {
    const head = await repository.head();
    const other = await repository.commit(greeting('not me'), { branch: 'experiment' });
    const next = await repository.commit(greeting('after the experiment'));
    await applied(next);
    expect(next).not.toBe(head);
    expect(await statusesOf(other)).toEqual({});
  });

  test('a delivery that comes again changes nothing', async () => {
    const commit = await repository.head();
    await hasStatuses(commit, green);
    const before = await on(versions);
    // Gitea sends a test push of the head, signed like any other.
    await gitea.api('POST', `/repos/${repository.owner}/${repository.name}/hooks/${webhook}/tests`);
    const marker = await repository.commit({ 'README.md': 'nothing that is applied\n' });
    await applied(marker);
    expect(await on(versions)).toEqual(before);
    await hasStatuses(commit, green);
  });

  test('a push that touches nothing of a Kustomization moves its revision on without a write to its objects', async () => {
    const before = await on(versions);
    const commit = await repository.commit({ 'README.md': 'still nothing\n' });
    await applied(commit);
    await hasStatuses(commit, green);
    expect(await on(versions)).toEqual(before);
  });

  test('force-pushed from A to B and back to A, the clusters end at A', async () => {
    const a = await repository.commit(greeting('A'));
    await applied(a);
    const b = await repository.commit(greeting('B'));
    await applied(b);
    await repository.forcePush(a);
    await eventually('A again', async () =>
      (await on(messageIn)).every((message) => message?.startsWith('A ')),
    );
    await applied(a);
    await hasStatuses(a, green);
    const c = await repository.commit(greeting('C'));
    await applied(c);
    await repository.forcePush(a);
    await repository.forcePush(c);
    await repository.forcePush(a);
    await eventually('A at last', async () =>
      (await on(messageIn)).every((message) => message?.startsWith('A ')),
    );
    await applied(a);
    await hasStatuses(a, green);
  });

  test('of twenty quick pushes the last one is applied, and no commit stays pending', async () => {
    const commits: string[] = [];
    for (let index = 1; index <= 20; index++)
      commits.push(await repository.commit(greeting(`push ${index}`)));
    const last = commits.at(-1) ?? '';
    await applied(last);
    expect(await on(messageIn)).toEqual(['push 20 staging', 'push 20 production']);
    await hasStatuses(last, green);
    await eventually(
      'every commit has ended',
      async () => {
        const all = await Promise.all(commits.map(statusesOf));
        return all.every((states) => Object.values(states).every((state) => state !== 'pending'));
      },
      { explain: async () => JSON.stringify(await Promise.all(commits.map(statusesOf))) },
    );
    const sources = await on((objects) => objects.get('gitrepositories', 'flux-system', 'flux-system'));
    for (const source of sources) expect(conditionOf(source)).toMatchObject({ status: 'True' });
  });

  test('a push whose webhook is lost is found when the source is due', async () => {
    await gitea.api('PATCH', `/repos/${repository.owner}/${repository.name}/hooks/${webhook}`, {
      active: false,
    });
    await on(async (objects) => {
      await objects.patch('gitrepositories', 'flux-system', 'flux-system', { spec: { interval: '10s' } });
    });
    const commit = await repository.commit(greeting('unannounced'));
    await applied(commit);
    expect(await on(messageIn)).toEqual(['unannounced staging', 'unannounced production']);
    await hasStatuses(commit, green);
    await gitea.api('PATCH', `/repos/${repository.owner}/${repository.name}/hooks/${webhook}`, {
      active: true,
    });
  });
});

function greeting(message: string): Record<string, string> {
  return {
    'apps/shop/greeting.yaml': yaml(configMap('greeting', 'shop', { message: `${message} $${'{cluster}'}` })),
  };
}

function settings(): string {
  return yaml(configMap('settings', 'shop', { colour: 'blue' }));
}

function resources(...names: string[]): string {
  return yaml({
    apiVersion: 'kustomize.config.k8s.io/v1beta1',
    kind: 'Kustomization',
    resources: names.map((name) => `${name}.yaml`),
  });
}

function firstFiles(): Record<string, string> {
  const files: Record<string, string> = {
    ...greeting('hello'),
    'apps/shop/namespace.yaml': yaml(namespace('shop')),
    'apps/shop/settings.yaml': settings(),
    'apps/shop/kustomization.yaml': resources('namespace', 'greeting', 'settings'),
  };
  for (const name of CLUSTERS) {
    files[`clusters/${name}/shop.yaml`] = yaml(
      kustomization('shop', './apps/shop', { postBuild: { substitute: { cluster: name } } }),
    );
  }
  return files;
}

/** What must survive: who the objects are. */
async function uids(objects: Objects): Promise<(string | undefined)[]> {
  const items = await Promise.all(
    ['greeting', 'settings'].map((name) => objects.get('configmaps', 'shop', name)),
  );
  return items.map((item) => item?.metadata.uid);
}

/** What must not be written: the versions of the objects. */
async function versions(objects: Objects): Promise<(string | undefined)[]> {
  const items = await Promise.all(
    ['greeting', 'settings'].map((name) => objects.get<ToolkitObject>('configmaps', 'shop', name)),
  );
  return items.map((item) => item?.metadata.resourceVersion);
}

async function whatIs(objects: Objects): Promise<string> {
  const all = [...(await objects.list('gitrepositories')), ...(await objects.list('kustomizations'))];
  return all
    .map(
      (item) =>
        `${item.metadata.namespace}/${item.metadata.name} ${JSON.stringify(item.status?.conditions)} ${item.status?.lastAppliedRevision ?? item.status?.artifact?.revision}`,
    )
    .join('\n');
}
