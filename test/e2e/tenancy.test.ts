import { createHmac } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { KubernetesObject } from '../../lib/core/object.ts';
import { useGitea } from '../support/cluster.ts';
import { eventually } from '../support/eventually.ts';
import { configMap, gitRepository, kustomization, namespace, yaml } from '../support/fleet-repository.ts';
import type { GiteaClient, GiteaUser } from '../support/gitea-client.ts';
import { createRepository, type GiteaRepository } from '../support/gitea-repository.ts';
import {
  conditionOf,
  isReadyAt,
  type Objects,
  objectsOf,
  type ToolkitObject,
} from '../support/kube-objects.ts';
import { kubeRequest } from '../support/kube-request.ts';
import { type Kubernetes, kubeconfigFor, startKubernetes } from '../support/kubernetes.ts';
import { type Slipway, startSlipway, WEBHOOK_SECRET } from '../support/slipway.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';

const TEAM_SECRET = 'the-secret-of-the-webhooks-of-team-b';
const OWNERS = '/apis/rbac.authorization.k8s.io/v1/clusterrolebindings';

/** A cluster of two tenants, each with a namespace, a repository and an account that rules that namespace and nothing else. */
describe('a tenant', () => {
  let gitea: GiteaClient;
  let fleet: GiteaRepository;
  let users: Record<'team-a' | 'team-b', GiteaUser>;
  let repositories: Record<'team-a' | 'team-b', GiteaRepository>;
  let kubernetes: Kubernetes;
  let objects: Objects;
  let slipway: Slipway;
  const cleanUp: (() => Promise<unknown>)[] = [];

  beforeAll(async () => {
    const temporary = await temporaryDirectory();
    cleanUp.push(temporary.remove);
    [gitea, kubernetes] = await Promise.all([useGitea(), startKubernetes()]);
    cleanUp.unshift(() => kubernetes.stop());
    objects = objectsOf(kubernetes);
    users = { 'team-a': await gitea.createUser('team-a'), 'team-b': await gitea.createUser('team-b') };
    const repositoryOf = (team: 'team-a' | 'team-b', files: Record<string, string>) =>
      createRepository(
        { url: gitea.url, api: gitea.apiAs(users[team]), owner: users[team] },
        `${team}-apps`,
        { files },
      );
    const [teamA, teamB] = await Promise.all([
      repositoryOf('team-a', { 'app/own.yaml': yaml(configMap('own', 'team-a', {})) }),
      repositoryOf('team-b', { 'app/own.yaml': yaml(configMap('only-b', 'team-b', { value: 'of team b' })) }),
    ]);
    repositories = { 'team-a': teamA, 'team-b': teamB };
    const tenants = (['team-a', 'team-b'] as const).map((team) => tenant(team, repositories[team].url));
    fleet = await gitea.createRepository('tenancy-fleet', {
      files: Object.fromEntries(tenants.map((text, index) => [`clusters/main/tenant-${index}.yaml`, text])),
    });
    for (const team of ['team-a', 'team-b'] as const) {
      await objects.namespace(team);
      await secret(team, 'git', { username: team, password: users[team].token });
    }
    await secret('team-b', 'only-b', { VALUE: 'of team b' });
    const directory = join(temporary.path, 'fleet');
    slipway = await startSlipway({
      directory,
      clusters: {
        main: {
          kubeconfig: kubernetes.kubeconfig,
          more: { defaultServiceAccount: 'reconciler', noCrossNamespaceRefs: true },
        },
      },
      repository: fleet.url,
      gitea,
      more: {
        providers: [
          provider('gitea', gitea.admin.user, 'webhook-secret'),
          provider('team-b', 'team-b', 'team-secret'),
        ],
      },
    });
    cleanUp.unshift(() => slipway.stop());
    await writeFile(join(directory, 'team-secret'), TEAM_SECRET, { mode: 0o600 });
    await Promise.all(
      (['team-a', 'team-b'] as const).map((team) =>
        eventually(
          `the objects of ${team}`,
          async () => isReadyAt(await objects.get('kustomizations', team, 'apps')),
          { explain: async () => JSON.stringify(await objects.list('kustomizations'), null, 1) },
        ),
      ),
    );
  });

  afterAll(async () => {
    for (const each of cleanUp) await each();
  });

  function provider(name: string, owner: string, file: string): object {
    return {
      name,
      type: 'gitea',
      url: gitea.url,
      owners: [owner],
      token: 'file:token',
      webhookSecrets: [`file:${file}`],
    };
  }

  const secret = (home: string, name: string, stringData: Record<string, string>) =>
    objects.create('secrets', {
      apiVersion: 'v1',
      kind: 'Secret',
      metadata: { name, namespace: home },
      stringData,
    } as KubernetesObject);

  /** Creates a Kustomization of team-a and answers its Ready condition once it has failed for a reason of its own. */
  async function refusalOf(
    name: string,
    spec: Record<string, unknown>,
    more: { path?: string; words: RegExp },
  ): Promise<string> {
    const own = { sourceRef: { kind: 'GitRepository', name: 'apps' } };
    await objects.create(
      'kustomizations',
      kustomization(name, more.path ?? './app', { ...own, ...spec }, 'team-a') as KubernetesObject,
    );
    return eventually(
      `Kustomization ${name} is refused`,
      async () => {
        const ready = conditionOf(await objects.get('kustomizations', 'team-a', name));
        return ready?.status === 'False' && more.words.test(ready.message) && ready.message;
      },
      { explain: async () => JSON.stringify(await objects.get('kustomizations', 'team-a', name), null, 1) },
    );
  }

  test('deploys to its own namespace', async () => {
    expect(await objects.names('configmaps', 'team-a')).toContain('own');
    expect(await objects.names('configmaps', 'team-b')).toContain('only-b');
  });

  test('cannot write beyond its namespace, neither by itself nor by Toolkit objects that its repository brings', async () => {
    await repositories['team-a'].commit({
      'cluster/binding.yaml': yaml(clusterAdmin('stolen', 'team-a')),
      'cluster/own.yaml': yaml(configMap('beside', 'team-a', {})),
      'other/a.yaml': yaml(configMap('intruder', 'team-b', {})),
      'root/a.yaml': yaml(kustomization('intruder', './app', {}, 'flux-system')),
      'app/child.yaml': yaml(
        kustomization('child', './cluster', { sourceRef: { kind: 'GitRepository', name: 'apps' } }, 'team-a'),
        // The name of the root objects gives no rights in another namespace.
        kustomization(
          'flux-system',
          './cluster',
          { sourceRef: { kind: 'GitRepository', name: 'apps' } },
          'team-a',
        ),
      ),
    });
    await objects.patch('gitrepositories', 'team-a', 'apps', {
      metadata: { annotations: { 'reconcile.fluxcd.io/requestedAt': 'now' } },
    });
    for (const name of ['child', 'flux-system']) {
      const message = await eventually(`${name} is refused`, async () => {
        const ready = conditionOf(await objects.get('kustomizations', 'team-a', name));
        return ready?.status === 'False' && ready.message;
      });
      expect(message).toMatch(/ClusterRoleBinding.*stolen.*forbidden/s);
      expect(message).toContain('system:serviceaccount:team-a:reconciler');
    }
    const into = { path: './other', words: /team-b/ };
    expect(await refusalOf('into-b', {}, into)).toMatch(/intruder.*forbidden/s);
    expect(
      await refusalOf('into-b-by-target', { targetNamespace: 'team-b' }, { words: /forbidden/ }),
    ).toMatch(/team-b/);
    await refusalOf('into-root', {}, { path: './root', words: /flux-system.*forbidden/s });
    expect((await kubeRequest(kubernetes, 'GET', `${OWNERS}/stolen`)).status).toBe(404);
    expect(await objects.names('configmaps', 'team-b')).not.toContain('intruder');
    expect(await objects.get('kustomizations', 'flux-system', 'intruder')).toBeUndefined();
  });

  test('is no other account by naming one', async () => {
    await repositories['team-a'].head();
    for (const [name, account] of [
      ['as-nobody', 'nobody'],
      ['as-other', 'x:y'],
    ] as const) {
      const created = await kubeRequest(
        kubernetes,
        'POST',
        '/apis/kustomize.toolkit.fluxcd.io/v1/namespaces/team-a/kustomizations',
        kustomization(
          name,
          './app',
          { serviceAccountName: account, sourceRef: { kind: 'GitRepository', name: 'apps' } },
          'team-a',
        ),
      );
      expect(created.status).toBe(201);
      await eventually(`${name} is refused`, async () => {
        const ready = conditionOf(await objects.get('kustomizations', 'team-a', name));
        return ready?.status === 'False' && /forbidden|not valid|invalid/i.test(ready.message);
      });
    }
  });

  test('cannot use sources, dependencies, variables or keys of other namespaces', async () => {
    const words = /allows no references to other namespaces/;
    for (const [name, home] of [
      ['apps', 'team-b'],
      ['flux-system', 'flux-system'],
    ] as const) {
      const sourceRef = { kind: 'GitRepository', name, namespace: home };
      await refusalOf(`source-of-${home}`, { sourceRef, path: './' }, { words });
    }
    await refusalOf('depends', { dependsOn: [{ name: 'apps', namespace: 'team-b' }] }, { words });
    for (const [name, wanted] of [
      ['variables', 'only-b'],
      ['variables-by-path', '../../team-b/secrets/only-b'],
    ] as const) {
      const substituteFrom = [{ kind: 'Secret', name: wanted, namespace: 'team-b' }];
      const answer = await create(name, { postBuild: { substituteFrom } });
      if (answer === 201) await failing(name);
      else expect(answer).toBe(422);
    }
    for (const [name, spec] of [
      ['keys', { decryption: { provider: 'sops', secretRef: { name: '../../team-b/secrets/only-b' } } }],
      ['cluster', { kubeConfig: { secretRef: { name: '../../team-b/secrets/only-b', key: 'VALUE' } } }],
    ] as const) {
      const answer = await create(name, spec);
      if (answer === 201) await failing(name);
      else expect(answer).toBe(422);
    }
    const all = await objects.list<KubernetesObject>('configmaps', 'team-a');
    expect(JSON.stringify(all)).not.toContain('of team b');
  });

  async function create(name: string, spec: Record<string, unknown>): Promise<number> {
    const own = { sourceRef: { kind: 'GitRepository', name: 'apps' } };
    const path = '/apis/kustomize.toolkit.fluxcd.io/v1/namespaces/team-a/kustomizations';
    const body = kustomization(name, './app', { ...own, ...spec }, 'team-a');
    return (await kubeRequest(kubernetes, 'POST', path, body)).status;
  }

  async function failing(name: string): Promise<void> {
    await eventually(`${name} fails`, async () => {
      const ready = conditionOf(await objects.get('kustomizations', 'team-a', name));
      return ready?.status === 'False';
    });
  }

  test('does not get the credential of the fleet by naming its repository, nor a say in the statuses of its commits', async () => {
    for (const name of ['steal', 'flux-system']) {
      await objects.create('gitrepositories', gitRepository(name, 'team-a', fleet.url) as KubernetesObject);
      const source = await eventually(`GitRepository ${name} may not be fetched`, async () => {
        const found = await objects.get('gitrepositories', 'team-a', name);
        return conditionOf(found)?.status === 'False' && found;
      });
      expect(source.status?.artifact).toBeUndefined();
    }
    await eventually('both are subscribed', async () => {
      const [, host = ''] = fleet.url.split('://');
      const found = await slipway.ctx.index.subscriptions.find(host.replace(/\.git$/, '').toLowerCase());
      return found.filter(({ namespace: home }) => home === 'team-a').length === 2;
    });
    const webhook = await fleet.createWebhook(`${slipway.url}/webhooks/gitea/gitea`, WEBHOOK_SECRET);
    const commit = await fleet.commit({ 'README.md': 'nothing\n' });
    await eventually('the root is there', async () =>
      isReadyAt(await objects.get('kustomizations', 'flux-system', 'flux-system'), commit),
    );
    await eventually(
      'the commit is green',
      async () => (await fleet.statuses(commit)).some(({ status }) => status === 'success'),
      { explain: async () => JSON.stringify(await fleet.statusHistory(commit), null, 1) },
    );
    expect((await fleet.statuses(commit)).map(({ status }) => status)).toEqual(['success']);
    await gitea.api('DELETE', `/repos/${fleet.owner}/${fleet.name}/hooks/${webhook}`);
  });

  test('reads no artifact of another by forging a status', async () => {
    const other = await objects.get<ToolkitObject & { status: { artifact: { path: string } } }>(
      'gitrepositories',
      'team-b',
      'apps',
    );
    const { artifact } = other?.status ?? {};
    expect(artifact?.path).toContain('/team-b/');
    const file = artifact?.path.split('/').at(-1);
    const paths = {
      plain: artifact?.path,
      dots: `artifacts/main/GitRepository/team-a/dots/../../team-b/apps/${file}`,
      encoded: `artifacts/main/GitRepository/team-a/encoded/%2e%2e/%2e%2e/team-b/apps/${file}`,
    };
    for (const [name, path] of Object.entries(paths)) {
      const spec = { suspend: true };
      await objects.create(
        'gitrepositories',
        gitRepository(name, 'team-a', repositories['team-a'].url, spec) as KubernetesObject,
      );
      await objects.patch(
        'gitrepositories',
        'team-a',
        name,
        { status: { artifact: { ...artifact, path } } },
        'status',
      );
      await create(`forged-${name}`, {
        sourceRef: { kind: 'GitRepository', name },
        targetNamespace: 'team-a',
      });
    }
    for (const name of Object.keys(paths)) await failing(`forged-${name}`);
    expect(await objects.names('configmaps', 'team-a')).not.toContain('only-b');
  });

  test('deletes nothing of another by forging an inventory', async () => {
    const app = await objects.get('kustomizations', 'team-a', 'apps');
    const entries = [...(app?.status?.inventory?.entries ?? []), { id: 'team-b_only-b__ConfigMap', v: 'v1' }];
    await objects.patch('kustomizations', 'team-a', 'apps', { status: { inventory: { entries } } }, 'status');
    await objects.patch('kustomizations', 'team-a', 'apps', {
      metadata: { annotations: { 'reconcile.fluxcd.io/requestedAt': 'forged' } },
    });
    await eventually('the request is handled', async () => {
      const found = await objects.get('kustomizations', 'team-a', 'apps');
      return found?.status?.lastHandledReconcileAt === 'forged';
    });
    expect(await objects.names('configmaps', 'team-b')).toContain('only-b');
  });

  test('reaches with a kubeconfig neither commands, files nor addresses that are not for it', async () => {
    const base = (server?: string) =>
      JSON.parse(kubeconfigFor('x', { ...kubernetes.connection, ...(server ? { server } : {}) }));
    const exec = base();
    exec.users[0].user = { exec: { apiVersion: 'client.authentication.k8s.io/v1', command: '/bin/true' } };
    const tokenFile = base();
    tokenFile.users[0].user = { tokenFile: '/etc/hostname' };
    const caFile = base();
    delete caFile.clusters[0].cluster['certificate-authority-data'];
    caFile.clusters[0].cluster['certificate-authority'] = '/etc/ssl/certs/ca-certificates.crt';
    const insecure = base();
    insecure.clusters[0].cluster = { server: kubernetes.server, 'insecure-skip-tls-verify': true };
    const proxy = base();
    proxy.clusters[0].cluster['proxy-url'] = 'http://127.0.0.1:1';
    const configs: Record<string, [object, RegExp]> = {
      exec: [exec, /exec/],
      'token-file': [tokenFile, /tokenFile/],
      'ca-file': [caFile, /certificate-authority/],
      insecure: [insecure, /insecure-skip-tls-verify/],
      proxy: [proxy, /proxy-url/],
      private: [base('https://10.11.12.13:6443'), /10\.11\.12\.13.*network\.allow/s],
      metadata: [base('https://169.254.169.254'), /169\.254\.169\.254/],
    };
    for (const [name, [config, words]] of Object.entries(configs)) {
      await secret('team-a', `kubeconfig-${name}`, { value: JSON.stringify(config) });
      const kubeConfig = { secretRef: { name: `kubeconfig-${name}` } };
      const message = await refusalOf(`remote-${name}`, { kubeConfig }, { words });
      expect(message).not.toMatch(/ETIMEDOUT|ECONNREFUSED/);
    }
  });

  test('cannot have another tenant deployed with the secret of its webhooks', async () => {
    const before = slipway.log.length;
    const [b, a] = [repositories['team-b'], fleet];
    const forged = await push(a, TEAM_SECRET, '/webhooks/gitea/team-b');
    expect(forged).toBe(403);
    expect(await push(a, TEAM_SECRET, '/webhooks/gitea')).toBe(403);
    expect(await push(b, WEBHOOK_SECRET, '/webhooks/gitea/gitea')).toBe(403);
    expect(await push(a, TEAM_SECRET, '/webhooks/gitea/gitea')).toBe(401);
    expect(await push(a, '', '/webhooks/gitea')).toBe(401);
    // Names that only look like the other's.
    expect(await push({ ...b, owner: '../admin-user' }, TEAM_SECRET, '/webhooks/gitea/team-b')).toBe(403);
    expect(slipway.log.slice(before).filter((line) => /fanned out|no source watches/.test(line))).toEqual([]);
    expect(await push(b, TEAM_SECRET, '/webhooks/gitea')).toBe(202);
    await eventually('the true one is fanned out', () =>
      slipway.log.slice(before).some((line) => /fanned out/.test(line) && line.includes('team-b')),
    );
  });

  /** Delivers a push to main, signed with a secret. @returns the status of the answer */
  async function push(
    { owner, name, url }: Pick<GiteaRepository, 'owner' | 'name' | 'url'>,
    key: string,
    path: string,
  ): Promise<number> {
    const clone = owner.includes('..') ? `${gitea.url}/${owner}/${name}.git` : url;
    const payload = {
      ref: 'refs/heads/main',
      before: '1'.repeat(40),
      after: '2'.repeat(40),
      repository: { full_name: `${owner}/${name}`, clone_url: clone, html_url: clone.replace(/\.git$/, '') },
      pusher: { login: 'somebody' },
      commits: [],
    };
    const body = JSON.stringify(payload);
    const headers: Record<string, string> = {
      'content-type': 'application/json',
      'x-gitea-event': 'push',
      'x-gitea-delivery': `${owner}-${key}-${path}`,
    };
    if (key !== '') headers['x-gitea-signature'] = createHmac('sha256', key).update(body).digest('hex');
    return (await fetch(`${slipway.url}${path}`, { method: 'POST', headers, body })).status;
  }
});

/** What the operator gives a tenant. */
function tenant(team: string, url: string): string {
  const group = 'rbac.authorization.k8s.io';
  return yaml(
    namespace(team),
    { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name: 'reconciler', namespace: team } },
    {
      apiVersion: `${group}/v1`,
      kind: 'Role',
      metadata: { name: 'everything', namespace: team },
      rules: [{ apiGroups: ['*'], resources: ['*'], verbs: ['*'] }],
    },
    {
      apiVersion: `${group}/v1`,
      kind: 'RoleBinding',
      metadata: { name: 'reconciler', namespace: team },
      roleRef: { apiGroup: group, kind: 'Role', name: 'everything' },
      subjects: [{ kind: 'ServiceAccount', name: 'reconciler', namespace: team }],
    },
    gitRepository('apps', team, url, { secretRef: { name: 'git' } }),
    kustomization('apps', './app', { sourceRef: { kind: 'GitRepository', name: 'apps' } }, team),
  );
}

function clusterAdmin(name: string, team: string): object {
  const group = 'rbac.authorization.k8s.io';
  return {
    apiVersion: `${group}/v1`,
    kind: 'ClusterRoleBinding',
    metadata: { name },
    roleRef: { apiGroup: group, kind: 'ClusterRole', name: 'cluster-admin' },
    subjects: [{ kind: 'ServiceAccount', name: 'reconciler', namespace: team }],
  };
}
