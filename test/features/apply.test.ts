import { randomBytes } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { ApplyError } from '../../lib/apply/apply-error.ts';
import type { ApplyOptions } from '../../lib/apply/types.ts';
import { ReconcileError } from '../../lib/core/errors.ts';
import type { KubernetesObject } from '../../lib/core/object.ts';
import { identityOf, refOf } from '../../lib/core/object.ts';
import {
  Applier,
  actions,
  clientOf,
  configMap,
  deployment,
  MANAGER,
  OWNER,
  versions,
} from '../support/apply.ts';
import { freshNamespace, useKubernetes } from '../support/cluster.ts';

const client = clientOf(await useKubernetes());
const GROUP = OWNER.group;

function annotated(object: KubernetesObject, annotations: Record<string, string>): KubernetesObject {
  return { ...object, metadata: { ...object.metadata, annotations } };
}

function previousOf(objects: readonly KubernetesObject[]): ReadonlySet<string> {
  return new Set(objects.map((object) => identityOf(refOf(object))));
}

/** The error of an apply that must fail. */
async function failureOf(apply: Promise<unknown>): Promise<ApplyError> {
  const error = await apply.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  expect(error).toBeInstanceOf(ApplyError);
  return error as ApplyError;
}

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

describe('an invalid object', () => {
  test('in a set of 500 stops all of them before any write', async () => {
    const namespace = await freshNamespace();
    const applier = new Applier(client);
    const objects = Array.from({ length: 500 }, (_, index) => configMap(namespace, `c${index}`));
    objects[250] = { ...configMap(namespace, 'c250'), data: { 'not a key!': 'x' } };
    const error = await failureOf(applier.apply(objects, { concurrency: 32 }));
    expect(error.reason).toBe('ReconciliationFailed');
    expect(error.message).toContain(`ConfigMap/${namespace}/c250 dry-run failed (Invalid)`);
    expect(error.result.changeSet.entries).toEqual([]);
    const { items } = await client.list({ group: '', version: 'v1', kind: 'ConfigMap' }, { namespace });
    expect(items.filter(({ metadata }) => metadata.name.startsWith('c'))).toEqual([]);
  });

  test('beside a change of an existing one stops both, even in a small set', async () => {
    const namespace = await freshNamespace();
    const applier = new Applier(client);
    await applier.apply([configMap(namespace, 'a')]);
    const bad = { ...configMap(namespace, 'b'), data: { 'not a key!': 'x' } };
    const before = await versions(client, [configMap(namespace, 'a')]);
    const error = await failureOf(applier.apply([configMap(namespace, 'a', { key: 'new' }), bad]));
    expect(error.message).toContain(`ConfigMap/${namespace}/b`);
    expect(await versions(client, [configMap(namespace, 'a')])).toEqual(before);
  });

  test('is named with every other one that is invalid', async () => {
    const namespace = await freshNamespace();
    const bad = (name: string) => ({ ...configMap(namespace, name), data: { 'not a key!': name } });
    const unknown = { apiVersion: 'none.example.com/v1', kind: 'Gadget', metadata: { name: 'g', namespace } };
    const nowhere = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'nowhere' } };
    const error = await failureOf(
      new Applier(client).apply([bad('x'), bad('y'), unknown, nowhere], { unvalidated: 0 }),
    );
    expect(error.message).toContain(`ConfigMap/${namespace}/x dry-run failed`);
    expect(error.message).toContain(`ConfigMap/${namespace}/y dry-run failed`);
    expect(error.message).toContain('no matches for kind "Gadget" in version "none.example.com/v1"');
    expect(error.message).toContain('ConfigMap/nowhere namespace not specified');
  });

  test('of a kind with a field that the server does not know is refused, not stripped', async () => {
    const namespace = await freshNamespace();
    const odd = deployment(namespace, 'web');
    (odd.spec as Record<string, unknown>).replicaz = 2;
    const error = await failureOf(new Applier(client).apply([odd]));
    expect(error.message).toContain('replicaz');
  });

  test('that is a Secret is not quoted with its values', async () => {
    const namespace = await freshNamespace();
    const secret: KubernetesObject = {
      apiVersion: 'v1',
      kind: 'Secret',
      metadata: { name: 's', namespace },
      type: 'kubernetes.io/tls',
      stringData: { 'tls.crt': 'canary-value-1', 'bad key!': 'canary-value-2' },
    };
    const error = await failureOf(new Applier(client).apply([secret]));
    expect(error.message).toContain(`Secret/${namespace}/s`);
    expect(JSON.stringify([error.message, error.stack, String(error.cause)])).not.toMatch(
      /canary-value|Y2FuYXJ5/,
    );
  });

  test.each<[string, (object: KubernetesObject) => void]>([
    ['data of 1.2 MiB', (object) => Object.assign(object, { data: { key: 'x'.repeat(1_200_000) } })],
    ['data of 4 MiB', (object) => Object.assign(object, { data: { key: 'x'.repeat(4_000_000) } })],
    [
      'an annotation of 300 KiB',
      (object) => Object.assign(object.metadata, { annotations: { a: 'x'.repeat(300_000) } }),
    ],
  ])('with %s is named in a short error', async (_what, enlarge) => {
    const namespace = await freshNamespace();
    const large = configMap(namespace, 'large');
    enlarge(large);
    const error = await failureOf(new Applier(client).apply([large]));
    expect(error.message).toContain(`ConfigMap/${namespace}/large`);
    expect(error.message).toMatch(/too long|too large|must have at most|entity too large/i);
    expect(error.message.length).toBeLessThan(2_000);
  });

  test('in the last stage leaves what the stages before it did, and says so', async () => {
    const namespace = `partial-${randomBytes(4).toString('hex')}`;
    const objects: KubernetesObject[] = [
      { apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace } },
      { ...configMap(namespace, 'bad'), data: { 'not a key!': 'x' } },
    ];
    const error = await failureOf(new Applier(client).apply(objects));
    expect(error.message).toContain(`Namespace/${namespace} created`);
    expect([...error.result.records.keys()]).toEqual([`/Namespace//${namespace}`]);
    await client.delete(refOf(objects[0] as KubernetesObject));
  });

  test('with labels that are no texts is named before anything is asked', async () => {
    const namespace = await freshNamespace();
    const odd = configMap(namespace, 'a');
    odd.metadata.labels = { version: 1 } as unknown as Record<string, string>;
    const applier = new Applier(client);
    const error = await failureOf(applier.apply([odd]));
    expect(error).toMatchObject({ reason: 'BuildFailed', outcome: 'stall' });
    expect(error.message).toContain('metadata.labels["version"] must be a text');
    expect(applier.counts).toEqual({ reads: 0, dryRuns: 0, writes: 0 });
  });

  test('that stands twice in a render is refused', async () => {
    const namespace = await freshNamespace();
    const error = await failureOf(
      new Applier(client).apply([configMap(namespace, 'a'), configMap(namespace, 'a')]),
    );
    expect(error).toMatchObject({ reason: 'BuildFailed', outcome: 'stall' });
  });
});

describe('an annotation', () => {
  test('ssa: IfNotPresent creates once and never changes', async () => {
    const namespace = await freshNamespace();
    const applier = new Applier(client);
    const object = (value: string) =>
      annotated(configMap(namespace, 'a', { key: value }), { [`${GROUP}/ssa`]: 'IfNotPresent' });
    expect(actions(await applier.apply([object('1')]))).toEqual({ 'ConfigMap/a': 'created' });
    expect(actions(await applier.apply([object('2')]))).toEqual({ 'ConfigMap/a': 'skipped' });
    expect((await client.get<KubernetesObject>(refOf(object('1'))))?.data).toEqual({ key: '1' });
  });

  test('ssa: Ignore leaves it to others, and ssa: Merge keeps fields of kubectl', async () => {
    const namespace = await freshNamespace();
    const applier = new Applier(client);
    const ignored = annotated(configMap(namespace, 'ignored'), { [`${GROUP}/ssa`]: 'ignore' });
    const merged = annotated(configMap(namespace, 'merged'), { [`${GROUP}/ssa`]: 'Merge' });
    expect(actions(await applier.apply([ignored, merged]))).toEqual({
      'ConfigMap/ignored': 'skipped',
      'ConfigMap/merged': 'created',
    });
    expect(await client.get(refOf(ignored))).toBeUndefined();
    const edit = { data: { extra: 'x', key: 'edited' } };
    await client.patch(refOf(merged), 'merge', edit, { fieldManager: 'kubectl-edit' });
    await applier.apply([ignored, merged]);
    const live = await client.get<KubernetesObject>(refOf(merged));
    expect(live?.data).toEqual({ extra: 'x', key: 'value' });
    const before = await versions(client, [merged]);
    await applier.apply([ignored, merged]);
    expect(await versions(client, [merged])).toEqual(before);
  });

  test('reconcile: disabled in the cluster alone stops corrections until it is removed', async () => {
    const namespace = await freshNamespace();
    const applier = new Applier(client);
    const object = configMap(namespace, 'a');
    await applier.apply([object]);
    const annotations = { [`${GROUP}/reconcile`]: 'disabled' };
    await client.patch(refOf(object), 'merge', { metadata: { annotations }, data: { key: 'hot fix' } });
    expect(actions(await applier.apply([object]))).toEqual({ 'ConfigMap/a': 'skipped' });
    expect(actions(await applier.apply([object]))).toEqual({ 'ConfigMap/a': 'skipped' });
    const removal = { metadata: { annotations: { [`${GROUP}/reconcile`]: null } } };
    await client.patch(refOf(object), 'merge', removal);
    expect(actions(await applier.apply([object]))).toEqual({ 'ConfigMap/a': 'configured' });
    expect((await client.get<KubernetesObject>(refOf(object)))?.data).toEqual({ key: 'value' });
  });
});

describe('somebody else at the same time', () => {
  test('an object changed between comparison and write is read again, after the lease is checked', async () => {
    const namespace = await freshNamespace();
    const object = configMap(namespace, 'a');
    await new Applier(client).apply([object]);
    const calls: string[] = [];
    let raced = false;
    const applier = new Applier(client, async (method, args) => {
      const [, options] = args as [unknown, { dryRun?: boolean }];
      if (method !== 'apply' || options.dryRun || raced) return;
      raced = true;
      await client.patch(
        refOf(object),
        'merge',
        { data: { raced: 'yes' } },
        { fieldManager: 'some-controller' },
      );
    });
    const result = await applier.apply([configMap(namespace, 'a', { key: 'new' })], {
      previous: previousOf([object]),
      beforeWrite: async () => {
        calls.push('lease');
      },
    });
    expect(raced).toBe(true);
    expect(actions(result)).toEqual({ 'ConfigMap/a': 'configured' });
    expect(calls.length).toBeGreaterThanOrEqual(3);
    expect((await client.get<KubernetesObject>(refOf(object)))?.data).toEqual({ key: 'new', raced: 'yes' });
  });

  test('a lost lease stops everything after it and tells what was done', async () => {
    const namespace = await freshNamespace();
    const objects = ['a', 'b', 'c', 'd'].map((name) => configMap(namespace, name));
    let checks = 0;
    const lost = new ReconcileError('Progressing', 'the lease is lost', { outcome: 'wait' });
    const options: Partial<ApplyOptions> = {
      concurrency: 1,
      beforeWrite: async () => {
        checks += 1;
        if (checks > 3) throw lost;
      },
    };
    const error = await failureOf(new Applier(client).apply(objects, options));
    expect(error).toMatchObject({ reason: 'Progressing', outcome: 'wait' });
    expect(error.result.changeSet.entries).toHaveLength(2);
    const exist = await Promise.all(objects.map((object) => client.getMetadata(refOf(object))));
    expect(exist.map((found) => found !== undefined)).toEqual([true, true, false, false]);
  });

  test('a newer request ends it between stages', async () => {
    const namespace = `superseded-${randomBytes(4).toString('hex')}`;
    const space: KubernetesObject = { apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace } };
    const applier = new Applier(client);
    const error = await failureOf(
      applier.apply([space, configMap(namespace, 'a')], {
        superseded: async () => applier.counts.writes > 0,
      }),
    );
    expect(error).toMatchObject({ outcome: 'wait', retryAfter: 0 });
    expect(applier.counts.writes).toBe(1);
    await client.delete(refOf(space));
  });

  test('an object that is being deleted is reported and not applied over', async () => {
    const namespace = await freshNamespace();
    const applier = new Applier(client);
    const object = configMap(namespace, 'a');
    await applier.apply([object]);
    const finalizers = ['example.com/hold'];
    await client.patch(
      refOf(object),
      'merge',
      { metadata: { finalizers } },
      { fieldManager: 'some-controller' },
    );
    await client.delete(refOf(object));
    const writes = applier.counts.writes;
    const result = await applier.apply([configMap(namespace, 'a', { key: 'new' })]);
    expect(result.changeSet.entries[0]).toMatchObject({ action: 'skipped', detail: 'it is being deleted' });
    expect(result.terminating).toEqual([refOf(object)]);
    expect(result.records.size).toBe(0);
    expect(applier.counts.writes).toBe(writes);
    await client.patch(refOf(object), 'merge', { metadata: { finalizers: null } });
    expect(actions(await applier.apply([object]))).toEqual({ 'ConfigMap/a': 'created' });
  });

  test('an aborted run sends nothing', async () => {
    const namespace = await freshNamespace();
    const applier = new Applier(client);
    const signal = AbortSignal.abort(new Error('shutting down'));
    await expect(applier.apply([configMap(namespace, 'a')], { signal })).rejects.toThrow('shutting down');
    expect(applier.counts.writes).toBe(0);
  });

  test('what is about to be written is announced before the first write', async () => {
    const namespace = await freshNamespace();
    const announced: string[][] = [];
    const applier = new Applier(client);
    const willWrite = async (identities: readonly string[]) => {
      expect(applier.counts.writes).toBe(0);
      announced.push([...identities]);
    };
    await applier.apply([configMap(namespace, 'a'), configMap(namespace, 'b')], { willWrite });
    expect(announced).toEqual([[`/ConfigMap/${namespace}/a`, `/ConfigMap/${namespace}/b`]]);
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
