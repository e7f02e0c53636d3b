import { randomBytes } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import type { KubernetesObject } from '../../lib/core/object.ts';
import { refOf } from '../../lib/core/object.ts';
import {
  Applier,
  actions,
  clientOf,
  configMap,
  deployment,
  failureOf,
  MANAGER,
  OWNER,
  previousOf,
  versions,
} from '../support/apply.ts';
import { freshNamespace, useKubernetes } from '../support/cluster.ts';

const client = clientOf(await useKubernetes());
const GROUP = OWNER.group;

function widgets(): { crd: KubernetesObject; group: string } {
  const group = `w${randomBytes(4).toString('hex')}.example.com`;
  const schema = {
    type: 'object',
    properties: { spec: { type: 'object', properties: { size: { type: 'integer' } } } },
  };
  const crd: KubernetesObject = {
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: { name: `widgets.${group}` },
    spec: {
      group,
      names: { kind: 'Widget', plural: 'widgets', singular: 'widget', listKind: 'WidgetList' },
      scope: 'Namespaced',
      versions: [{ name: 'v1', served: true, storage: true, schema: { openAPIV3Schema: schema } }],
    },
    status: { acceptedNames: { kind: '', plural: '' }, conditions: [], storedVersions: [] },
  };
  return { crd, group };
}

describe('an apply', () => {
  test('creates, then leaves alone, then configures, under the name and with the labels of Flux', async () => {
    const namespace = await freshNamespace();
    const applier = new Applier(client);
    const objects = [configMap(namespace, 'a'), deployment(namespace, 'web')];
    expect(actions(await applier.apply(objects))).toEqual({
      'ConfigMap/a': 'created',
      'Deployment/web': 'created',
    });
    expect(actions(await applier.apply(objects))).toEqual({
      'ConfigMap/a': 'unchanged',
      'Deployment/web': 'unchanged',
    });
    const changed = [configMap(namespace, 'a', { key: 'other' }), deployment(namespace, 'web')];
    const result = await applier.apply(changed);
    expect(actions(result)).toEqual({ 'ConfigMap/a': 'configured', 'Deployment/web': 'unchanged' });
    expect(result.changeSet.entries.find(({ action }) => action === 'configured')?.detail).toBe('data.key');
    const live = await client.get<KubernetesObject>(refOf(configMap(namespace, 'a')));
    expect(live?.metadata.labels).toEqual({
      [`${GROUP}/name`]: 'app',
      [`${GROUP}/namespace`]: 'flux-system',
    });
    expect(live?.metadata.managedFields?.map(({ manager, operation }) => [manager, operation])).toEqual([
      [MANAGER, 'Apply'],
    ]);
    expect(live?.data).toEqual({ key: 'other' });
  });

  test('sends one request for each new object of a small set', async () => {
    const namespace = await freshNamespace();
    const applier = new Applier(client);
    await applier.apply(['a', 'b', 'c', 'd'].map((name) => configMap(namespace, name)));
    expect(applier.counts).toEqual({ reads: 0, dryRuns: 0, writes: 4 });
  });

  test('asks for the metadata alone of what it remembers, with one list for many', async () => {
    const namespace = await freshNamespace();
    const applier = new Applier(client);
    const objects = Array.from({ length: 10 }, (_, index) => configMap(namespace, `c${index}`));
    await applier.apply(objects);
    Object.assign(applier.counts, { reads: 0, dryRuns: 0, writes: 0 });
    await applier.apply(objects);
    expect(applier.counts).toEqual({ reads: 1, dryRuns: 0, writes: 0 });
  });

  test('compares what it remembers whole once a day', async () => {
    const namespace = await freshNamespace();
    const applier = new Applier(client);
    const objects = [configMap(namespace, 'a')];
    await applier.apply(objects);
    const writes = applier.counts.writes;
    await applier.apply(objects, { now: () => Date.now() + 25 * 3_600_000 });
    expect(applier.counts).toMatchObject({ dryRuns: 1, writes });
  });

  test('writes nothing when the index is lost, with or without the inventory', async () => {
    const namespace = await freshNamespace();
    const applier = new Applier(client);
    const objects = [configMap(namespace, 'a'), configMap(namespace, 'b')];
    await applier.apply(objects);
    const before = await versions(client, objects);
    applier.known = new Map();
    expect(actions(await applier.apply(objects))).toEqual({
      'ConfigMap/a': 'unchanged',
      'ConfigMap/b': 'unchanged',
    });
    applier.known = new Map();
    const result = await applier.apply(objects, { previous: previousOf(objects) });
    expect(actions(result)).toEqual({ 'ConfigMap/a': 'unchanged', 'ConfigMap/b': 'unchanged' });
    expect(await versions(client, objects)).toEqual(before);
  });

  test('a repeated apply whose answer was lost changes nothing', async () => {
    const namespace = await freshNamespace();
    const objects = [configMap(namespace, 'a')];
    await new Applier(client).apply(objects);
    const before = await versions(client, objects);
    expect(actions(await new Applier(client).apply(objects))).toEqual({ 'ConfigMap/a': 'unchanged' });
    expect(await versions(client, objects)).toEqual(before);
  });

  test('takes a namespace, a CRD, its custom resource and an account in one set', async () => {
    const { crd, group } = widgets();
    const namespace = `staged-${randomBytes(4).toString('hex')}`;
    const applier = new Applier(client);
    const widget = {
      apiVersion: `${group}/v1`,
      kind: 'Widget',
      metadata: { name: 'w', namespace },
      spec: { size: 3 },
    };
    const objects: KubernetesObject[] = [
      widget,
      configMap(namespace, 'a'),
      { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name: 'runner', namespace } },
      { apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace } },
      crd,
    ];
    const result = await applier.apply(objects);
    expect(result.changeSet.entries.map(({ ref }) => ref.kind)).toEqual([
      'CustomResourceDefinition',
      'Namespace',
      'ServiceAccount',
      'ConfigMap',
      'Widget',
    ]);
    expect(new Set(Object.values(actions(result)))).toEqual(new Set(['created']));
    expect(new Set(Object.values(actions(await applier.apply(objects))))).toEqual(new Set(['unchanged']));
    await client.delete(refOf(crd));
  });

  test('folds stringData into data, so that a key that is gone from Git is gone from the Secret', async () => {
    const namespace = await freshNamespace();
    const applier = new Applier(client);
    const secret = (stringData: Record<string, string>): KubernetesObject => ({
      apiVersion: 'v1',
      kind: 'Secret',
      metadata: { name: 's', namespace },
      stringData,
    });
    await applier.apply([secret({ a: '1', b: '2' })]);
    await applier.apply([secret({ a: '3' })]);
    const live = await client.get<KubernetesObject>(refOf(secret({})));
    expect(live?.data).toEqual({ a: Buffer.from('3').toString('base64') });
  });

  test('accepts manifests that were exported from a cluster', async () => {
    const namespace = await freshNamespace();
    const exported = deployment(namespace, 'web');
    Object.assign(exported.metadata, {
      uid: 'f3a4bd21-8ac5-4a7c-9e0e-111111111111',
      resourceVersion: '12',
      generation: 9,
      creationTimestamp: '2020-01-01T00:00:00Z',
      managedFields: [{ manager: 'kubectl' }],
    });
    exported.status = { replicas: 99 };
    expect(actions(await new Applier(client).apply([exported]))).toEqual({ 'Deployment/web': 'created' });
  });

  test('takes the namespace off cluster-scoped objects', async () => {
    const name = `scope-${randomBytes(4).toString('hex')}`;
    const role: KubernetesObject = {
      apiVersion: 'rbac.authorization.k8s.io/v1',
      kind: 'ClusterRole',
      metadata: { name, namespace: 'somewhere' },
      rules: [],
    };
    const result = await new Applier(client).apply([role]);
    expect(result.changeSet.entries[0]?.ref.namespace).toBe('');
    await client.delete({ ...refOf(role), namespace: '' });
  });

  test('leaves an object that another Kustomization keeps, and takes over one that nobody keeps', async () => {
    const namespace = await freshNamespace();
    const other = new Applier(client);
    await other.apply([configMap(namespace, 'a')], { owner: { ...OWNER, name: 'other' } });
    const objects = [configMap(namespace, 'a', { key: 'mine' })];
    const contested = await new Applier(client).apply(objects, {
      contested: async (_ref, owner) => owner.name === 'other',
    });
    expect(contested.changeSet.entries[0]).toMatchObject({ action: 'skipped' });
    expect(contested.changeSet.entries[0]?.detail).toContain('Kustomization/flux-system/other');
    const taken = await new Applier(client).apply(objects, { contested: async () => false });
    expect(actions(taken)).toEqual({ 'ConfigMap/a': 'configured' });
  });
});

describe('a service account with few rights', () => {
  test('may apply without being allowed to list', async () => {
    const namespace = await freshNamespace();
    const rules = [{ apiGroups: [''], resources: ['configmaps'], verbs: ['get', 'create', 'patch'] }];
    const rbac = { apiVersion: 'rbac.authorization.k8s.io/v1', metadata: { name: 'few', namespace } };
    await client.create({ ...rbac, kind: 'Role', rules });
    await client.create({
      ...rbac,
      kind: 'RoleBinding',
      roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'Role', name: 'few' },
      subjects: [{ kind: 'ServiceAccount', name: 'few', namespace }],
    });
    const applier = new Applier(client.as(`system:serviceaccount:${namespace}:few`));
    const objects = Array.from({ length: 6 }, (_, index) => configMap(namespace, `c${index}`));
    await expect
      .poll(() => applier.apply(objects).then(actions, () => ({})), { timeout: 10_000 })
      .toMatchObject({ 'ConfigMap/c0': expect.any(String) });
    expect(new Set(Object.values(actions(await applier.apply(objects))))).toEqual(new Set(['unchanged']));
    const error = await failureOf(applier.apply([deployment(namespace, 'web')]));
    expect(error.message).toContain('Forbidden');
  });
});
