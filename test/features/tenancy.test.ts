import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { eventually } from '../support/eventually.ts';
import { configMap, gitRepository, kustomization, yaml } from '../support/fleet-repository.ts';
import { conditionOf } from '../support/kube-objects.ts';
import { kubeRequest } from '../support/kube-request.ts';
import { allowAll } from '../support/service-account.ts';
import { type Stage, startStage, type Team } from '../support/stage.ts';

let stage: Stage;
beforeAll(async () => {
  stage = await startStage({ cluster: { noCrossNamespaceRefs: true, defaultServiceAccount: 'deployer' } });
});
afterAll(() => stage?.stop());

const map = (name: string, value = '1') => yaml(configMap(name, '', { value }));

/** A team whose service account may do everything in its namespace. */
async function tenant(files: Record<string, string>): Promise<Team> {
  const team = await stage.team(files);
  await allowAll(stage.objects, team.name, 'deployer');
  return team;
}

async function exists(path: string): Promise<boolean> {
  return (await kubeRequest(stage.kubernetes, 'GET', path)).status === 200;
}

describe('a cluster of several tenants', () => {
  test('applies as the service account of the tenant, which is the default one when none is named', async () => {
    const team = await tenant({ 'app/a.yaml': map('a') });
    await team.kustomize('app', './app');
    await team.ready();
    expect(await team.configMaps()).toEqual(['a']);
  });

  test('refuses what the default service account may not do, and says what is missing', async () => {
    const team = await stage.team({ 'app/a.yaml': map('a') });
    await team.kustomize('app', './app');
    const message = await team.failed('ReconciliationFailed', 'app', /forbidden/i);
    expect(message).toContain(`system:serviceaccount:${team.name}:deployer`);
    expect(await team.configMaps()).toEqual([]);
    await team.status(await team.repository.head(), 'failure');
  });

  test('refuses objects outside of the namespace, and those of the whole cluster, before anything else is written', async () => {
    const victim = await tenant({ 'app/secret.yaml': map('secret') });
    await victim.kustomize('app', './app');
    await victim.ready();
    const grab = {
      apiVersion: 'rbac.authorization.k8s.io/v1',
      kind: 'ClusterRoleBinding',
      metadata: { name: 'grab' },
      roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'cluster-admin' },
      subjects: [{ kind: 'ServiceAccount', name: 'deployer', namespace: 'x' }],
    };
    const team = await tenant({
      'binding/a.yaml': map('a'),
      'binding/grab.yaml': yaml(grab),
      'namespace/b.yaml': yaml(configMap('b', 'default', { a: '1' })),
      'namespace/more.yaml': yaml({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'more' } }),
      'neighbour/c.yaml': yaml(configMap('secret', victim.name, { value: 'mine' })),
    });
    await team.kustomize('binding', './binding');
    await team.kustomize('namespace', './namespace', { targetNamespace: undefined });
    await team.kustomize('neighbour', './neighbour', { targetNamespace: victim.name });
    for (const name of ['binding', 'namespace', 'neighbour'])
      expect(await team.failed('ReconciliationFailed', name, /forbidden/i)).toContain('deployer');
    expect(await exists('/apis/rbac.authorization.k8s.io/v1/clusterrolebindings/grab')).toBe(false);
    expect(await exists('/api/v1/namespaces/more')).toBe(false);
    expect(await victim.data('secret')).toEqual({ value: '1' });
    expect(await team.configMaps()).toEqual([]);
  });

  test('refuses images of other namespaces, though these open themselves to all', async () => {
    const owner = await tenant({});
    const team = await tenant({});
    const group = 'image.toolkit.fluxcd.io';
    await stage.objects.create('imagerepositories', {
      apiVersion: `${group}/v1`,
      kind: 'ImageRepository',
      metadata: { name: 'app', namespace: owner.name },
      spec: {
        image: 'registry.example.com/app',
        interval: '1h',
        suspend: true,
        accessFrom: { namespaceSelectors: [{ matchLabels: {} }] },
      },
    });
    await stage.objects.create('imagepolicies', {
      apiVersion: `${group}/v1`,
      kind: 'ImagePolicy',
      metadata: { name: 'app', namespace: team.name },
      spec: {
        imageRepositoryRef: { name: 'app', namespace: owner.name },
        policy: { semver: { range: '*' } },
      },
    });
    const ready = await eventually('the policy is refused', async () =>
      conditionOf(await stage.objects.get('imagepolicies', team.name, 'app')),
    );
    expect(ready).toMatchObject({ status: 'False', reason: 'AccessDenied' });
    expect(ready.message).toMatch(/cross-namespace references have been blocked/);
  });

  test('refuses sources and dependencies of other namespaces', async () => {
    const owner = await tenant({ 'app/a.yaml': map('a') });
    const team = await tenant({ 'app/b.yaml': map('b') });
    await owner.kustomize('app', './app');
    await owner.ready();
    const foreign = { kind: 'GitRepository', name: 'app', namespace: owner.name };
    await team.kustomize('stolen', './app', { sourceRef: foreign });
    await team.kustomize('depends', './app', { dependsOn: [{ name: 'app', namespace: owner.name }] });
    expect(await team.failed('AccessDenied', 'stolen')).toContain('other namespaces');
    expect(await team.failed('AccessDenied', 'depends')).toContain('other namespaces');
    for (const name of ['stolen', 'depends'])
      expect(conditionOf(await team.kustomization(name), 'Stalled')).toMatchObject({ status: 'True' });
    expect(await team.configMaps()).toEqual([]);
  });

  test('gives a Kustomization that a tenant applies no more rights than the tenant has', async () => {
    const team = await tenant({});
    const source = { kind: 'GitRepository', name: 'app' };
    const child = (name: string, path: string, home: string) =>
      yaml(kustomization(name, path, { sourceRef: source }, home));
    await team.push({
      'app/own.yaml': child('own', './own', team.name),
      'own/more.yaml': yaml({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'by-a-child' } }),
    });
    await team.kustomize('app', './app');
    await team.ready();
    expect(await team.failed('ReconciliationFailed', 'own', /forbidden/i)).toContain(`${team.name}:deployer`);
    expect(await exists('/api/v1/namespaces/by-a-child')).toBe(false);
    await team.push({ 'reach/root.yaml': child('root', './own', 'flux-system') });
    await team.kustomize('reach', './reach', { targetNamespace: undefined });
    expect(await team.failed('ReconciliationFailed', 'reach', /forbidden/i)).toContain('flux-system');
    expect(await stage.objects.get('kustomizations', 'flux-system', 'root')).toBeUndefined();
    // What it was never allowed to make does not keep it from being deleted.
    const commit = await team.push({ 'app/own.yaml': null, 'app/a.yaml': map('a') });
    await team.ready('app', commit);
    await eventually('the child is gone', async () => (await team.kustomization('own')) === undefined);
  });

  test('shows on a commit that a Kustomization it brings may not use the source, and on no other repository what a tenant writes', async () => {
    const owner = await tenant({ 'app/a.yaml': map('a') });
    const team = await tenant({ 'app/b.yaml': map('b') });
    await Promise.all([owner.kustomize('app', './app'), team.kustomize('app', './app')]);
    await Promise.all([owner.ready(), team.ready()]);
    const theirs = await owner.repository.head();
    const foreign = { kind: 'GitRepository', name: 'app', namespace: owner.name };
    const missing = team.repository.url.replace(team.name, `${team.name}-is-not-there`);
    const commit = await team.push({
      'app/thief.yaml': yaml(kustomization('thief', './app', { sourceRef: foreign }, team.name)),
      'app/shop.yaml': yaml(gitRepository('shop', team.name, missing, { timeout: '10s' })),
      'app/same.yaml': yaml(gitRepository('same', team.name, owner.repository.url)),
    });
    await team.status(commit, 'failure');
    const shown = async (of: Team, at: string) =>
      (await of.repository.statuses(at)).map(({ context }) => context.split('/').at(-1)).sort();
    await eventually(
      'both are shown',
      async () => (await shown(team, commit)).join() === 'production,shop,thief',
    );
    // A source of theirs, made and followed by another team, says nothing on their commits.
    const next = await owner.push({ 'app/a.yaml': map('a', '2') });
    await owner.status(next, 'success');
    // Their first commit was there before anything followed it, and may have no status at all.
    expect((await shown(owner, theirs)).filter((name) => name !== 'production')).toEqual([]);
    expect(await shown(owner, next)).toEqual(['production']);
  });

  test('makes a commit red that brings a Kustomization which may not use its source', async () => {
    const team = await tenant({ 'app/a.yaml': map('a') });
    const neighbour = stage.unique('annexe');
    await stage.objects.namespace(neighbour);
    await allowAll(stage.objects, neighbour, 'deployer');
    const group = 'rbac.authorization.k8s.io';
    await stage.objects.create('rolebindings', {
      apiVersion: `${group}/v1`,
      kind: 'RoleBinding',
      metadata: { name: 'from-next-door', namespace: neighbour },
      roleRef: { apiGroup: group, kind: 'Role', name: 'deployer' },
      subjects: [{ kind: 'ServiceAccount', name: 'deployer', namespace: team.name }],
    });
    await team.kustomize('app', './app', { targetNamespace: undefined });
    const sourceRef = { kind: 'GitRepository', name: 'app', namespace: team.name };
    const bad = await team.push({
      'app/a.yaml': yaml(configMap('a', team.name, { value: '2' })),
      'app/child.yaml': yaml(kustomization('child', './app', { sourceRef }, neighbour)),
    });
    await team.ready('app', bad);
    await team.status(bad, 'failure');
    const [text = ''] = (await team.repository.statuses(bad)).map(({ description }) => description);
    expect(text).toContain(`Kustomization/${neighbour}/child: `);
  });

  test('does not let a tenant read a Secret by naming it from elsewhere, or use the credential of the fleet file', async () => {
    const privateRepository = await stage.gitea.createRepository(stage.unique('private'), {
      files: { 'app/a.yaml': map('a') },
      private: true,
    });
    const team = await tenant({ 'app/b.yaml': map('b') });
    await stage.objects.create('gitrepositories', gitRepository('stolen', team.name, privateRepository.url));
    const failed = await eventually('the private repository is refused', async () => {
      const found = await stage.objects.get('gitrepositories', team.name, 'stolen');
      return conditionOf(found)?.status === 'False' && found;
    });
    expect(failed.status?.artifact).toBeUndefined();
    expect(JSON.stringify(failed)).not.toContain(stage.gitea.admin.token);
  });

  test('refuses a kubeconfig that runs a command, reads a file or skips certificates', async () => {
    const team = await tenant({ 'app/a.yaml': map('a') });
    const parsed = JSON.parse(stage.kubernetes.kubeconfig) as {
      users: { user: unknown }[];
      clusters: { cluster: Record<string, unknown> }[];
    };
    const [{ cluster }] = parsed.clusters as [{ cluster: Record<string, unknown> }];
    const variants: Record<string, unknown> = {
      exec: {
        ...parsed,
        users: [
          {
            ...parsed.users[0],
            user: {
              exec: { command: 'touch', args: ['/tmp/x'], apiVersion: 'client.authentication.k8s.io/v1' },
            },
          },
        ],
      },
      file: { ...parsed, users: [{ ...parsed.users[0], user: { tokenFile: '/var/run/secrets/token' } }] },
      insecure: {
        ...parsed,
        clusters: [
          { ...parsed.clusters[0], cluster: { server: cluster.server, 'insecure-skip-tls-verify': true } },
        ],
      },
    };
    for (const [name, config] of Object.entries(variants)) {
      await stage.objects.create('secrets', {
        apiVersion: 'v1',
        kind: 'Secret',
        metadata: { name, namespace: team.name },
        stringData: { value: JSON.stringify(config) },
      });
      await team.kustomize(name, './app', { kubeConfig: { secretRef: { name } } });
    }
    for (const name of Object.keys(variants)) {
      const message = await team.failed('ReconciliationFailed', name);
      expect(message).toMatch(/exec|tokenFile|insecure/);
      expect(message).not.toContain('/var/run/secrets/token');
    }
    expect(await team.configMaps()).toEqual([]);
  });
});
