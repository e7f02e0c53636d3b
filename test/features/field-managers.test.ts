import { randomBytes } from 'node:crypto';
import { expect, test } from 'vitest';
import type { KubernetesObject, ManagedFieldsEntry } from '../../lib/core/object.ts';
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
const LAST_APPLIED = 'kubectl.kubernetes.io/last-applied-configuration';

async function managers(object: KubernetesObject): Promise<string[]> {
  const metadata = (await client.getMetadata(refOf(object)))?.metadata;
  return (metadata?.managedFields ?? [])
    .filter((entry: ManagedFieldsEntry) => !entry.subresource)
    .map(({ manager, operation }) => `${manager} ${operation}`)
    .sort();
}

async function read(object: KubernetesObject): Promise<KubernetesObject> {
  const live = await client.get<KubernetesObject>(refOf(object));
  if (!live) throw new Error('it does not exist');
  return live;
}

function previous(object: KubernetesObject): { previous: ReadonlySet<string> } {
  return { previous: new Set([identityOf(refOf(object))]) };
}

test('an object made by kubectl create is adopted, and what the manifest lacks is removed', async () => {
  const namespace = await freshNamespace('managers');
  await client.create(configMap(namespace, 'a', { key: 'value', stray: 'x' }), {
    fieldManager: 'kubectl-create',
  });
  const applier = new Applier(client);
  const object = configMap(namespace, 'a');
  expect(actions(await applier.apply([object]))).toEqual({ 'ConfigMap/a': 'configured' });
  expect((await read(object)).data).toEqual({ key: 'value' });
  expect(await managers(object)).toEqual([`${MANAGER} Apply`]);
});

test('an object made by kubectl apply loses its copy of the manifest', async () => {
  const namespace = await freshNamespace('managers');
  const object = configMap(namespace, 'a');
  const annotations = { [LAST_APPLIED]: '{}', note: 'kept by nobody' };
  await client.create(
    { ...object, metadata: { ...object.metadata, annotations } },
    { fieldManager: 'kubectl-client-side-apply' },
  );
  await new Applier(client).apply([object]);
  expect((await read(object)).metadata.annotations).toBeUndefined();
});

test('what was there before the first apply is taken over', async () => {
  const namespace = await freshNamespace('managers');
  const object = configMap(namespace, 'a', { key: 'value' });
  await client.create({ ...object, data: { key: 'value', old: 'x' } }, { fieldManager: 'some-tool' });
  // Without managed fields, as objects from before server-side apply; the server then notes `before-first-apply`.
  await client.patch(refOf(object), 'merge', { metadata: { managedFields: [{}] } });
  const applier = new Applier(client);
  await applier.apply([object], previous(object));
  expect((await read(object)).data).toEqual({ key: 'value' });
  expect(await managers(object)).toEqual([`${MANAGER} Apply`]);
});

test('taking over alone counts as a change, even where no value differs', async () => {
  const namespace = await freshNamespace('managers');
  const applier = new Applier(client);
  const object = configMap(namespace, 'a');
  await applier.apply([object]);
  await client.apply(configMap(namespace, 'a'), { fieldManager: 'kubectl', force: false });
  const result = await applier.apply([object]);
  expect(result.changeSet.entries[0]).toMatchObject({
    action: 'configured',
    detail: 'fields of kubectl taken over',
  });
  expect(await managers(object)).toEqual([`${MANAGER} Apply`]);
});

test('other managers keep their entries, and subresources are not taken over', async () => {
  const namespace = await freshNamespace('managers');
  const applier = new Applier(client);
  const object = deployment(namespace, 'web');
  delete (object.spec as Record<string, unknown>).replicas;
  await applier.apply([object]);
  await client.patch(
    refOf(object),
    'merge',
    { spec: { replicas: 3 } },
    { subresource: 'scale', fieldManager: 'kubectl' },
  );
  await client.patch(
    refOf(object),
    'merge',
    { metadata: { labels: { x: 'y' } } },
    { fieldManager: 'some-controller' },
  );
  await client.patch(
    refOf(object),
    'merge',
    { metadata: { labels: { z: 'z' } } },
    { fieldManager: 'kubectl-label' },
  );
  const status = {
    status: { conditions: [{ type: 'Seen', status: 'True', reason: 'Test', message: 'by hand' }] },
  };
  await client.patch(refOf(object), 'strategic', status, {
    subresource: 'status',
    fieldManager: 'kubectl-edit',
  });
  expect(actions(await applier.apply([object]))).toEqual({ 'Deployment/web': 'configured' });
  const live = await read(object);
  expect((live.spec as { replicas: number }).replicas).toBe(3);
  expect(live.metadata.labels).toMatchObject({ x: 'y' });
  expect(live.metadata.labels).not.toHaveProperty('z');
  const entries = live.metadata.managedFields ?? [];
  expect(entries.map(({ manager, subresource }) => `${manager}/${subresource ?? ''}`)).toEqual(
    expect.arrayContaining(['kubectl-edit/status', 'some-controller/']),
  );
});

test('fields of managers that the operator names are taken over too', async () => {
  const namespace = await freshNamespace('managers');
  const applier = new Applier(client);
  const object = configMap(namespace, 'a');
  await applier.apply([object]);
  await client.patch(refOf(object), 'merge', { data: { rogue: 'x' } }, { fieldManager: 'rogue-tool' });
  expect(actions(await applier.apply([object]))).toEqual({ 'ConfigMap/a': 'unchanged' });
  expect(actions(await applier.apply([object], { takeOver: ['rogue'] }))).toEqual({
    'ConfigMap/a': 'configured',
  });
  expect((await read(object)).data).toEqual({ key: 'value' });
});

test('a change during the take-over is not overwritten', async () => {
  const namespace = await freshNamespace('managers');
  const object = configMap(namespace, 'a');
  await client.create(configMap(namespace, 'a', { key: 'old', stray: 'x' }), {
    fieldManager: 'kubectl-create',
  });
  let raced = false;
  const applier = new Applier(client, async (method) => {
    if (method !== 'patch' || raced) return;
    raced = true;
    await client.patch(
      refOf(object),
      'merge',
      { data: { beside: 'y' } },
      { fieldManager: 'some-controller' },
    );
  });
  await applier.apply([object], previous(object));
  expect(raced).toBe(true);
  expect((await read(object)).data).toEqual({ key: 'value', beside: 'y' });
});

test('a cluster that Flux applied before is taken on without a single write', async () => {
  const namespace = await freshNamespace('managers');
  const labels = { [`${OWNER.group}/name`]: OWNER.name, [`${OWNER.group}/namespace`]: OWNER.namespace };
  const object = configMap(namespace, 'a');
  const sent = { ...object, metadata: { ...object.metadata, labels, creationTimestamp: null } };
  await client.apply(sent as unknown as KubernetesObject, { fieldManager: MANAGER, force: true });
  const before = await versions(client, [object]);
  const applier = new Applier(client);
  expect(actions(await applier.apply([object], previous(object)))).toEqual({ 'ConfigMap/a': 'unchanged' });
  expect(applier.counts.writes).toBe(0);
  expect(await versions(client, [object])).toEqual(before);
});

test('a field that goes from Git goes from the cluster, although Flux applied it', async () => {
  const namespace = await freshNamespace('managers');
  await client.apply(configMap(namespace, 'a', { key: 'value', old: 'x' }), {
    fieldManager: MANAGER,
    force: true,
  });
  const object = configMap(namespace, 'a');
  await new Applier(client).apply([object], previous(object));
  expect((await read(object)).data).toEqual({ key: 'value' });
});

test('an upgraded CRD with a new defaulted field does not block applies', async () => {
  const namespace = await freshNamespace('managers');
  const group = `m${randomBytes(4).toString('hex')}.example.com`;
  const version = (name: string, storage: boolean, properties: Record<string, unknown>) => ({
    name,
    served: true,
    storage,
    schema: {
      openAPIV3Schema: { type: 'object', properties: { spec: { type: 'object', properties } } },
    },
  });
  const crd = (versions: unknown[]): KubernetesObject => ({
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: { name: `stores.${group}` },
    spec: {
      group,
      names: { kind: 'Store', plural: 'stores', singular: 'store', listKind: 'StoreList' },
      scope: 'Namespaced',
      versions,
    },
  });
  const store = (name: string): KubernetesObject => ({
    apiVersion: `${group}/${name}`,
    kind: 'Store',
    metadata: { name: 's', namespace },
    spec: { size: 1 },
  });
  const size = { size: { type: 'integer' } };
  const applier = new Applier(client);
  await applier.apply([crd([version('v1beta1', true, size)]), store('v1beta1')]);
  const upgraded = crd([
    version('v1beta1', false, size),
    version('v1', true, { ...size, tier: { type: 'string', default: 'gold' } }),
  ]);
  await applier.apply([upgraded, store('v1')]);
  expect(((await read(store('v1'))).spec as { tier: string }).tier).toBe('gold');
  const again = await applier.apply([upgraded, store('v1')], { now: () => Date.now() + 48 * 3_600_000 });
  expect(actions(again)).toMatchObject({ 'Store/s': 'unchanged' });
  await client.delete(refOf(crd([])));
});
