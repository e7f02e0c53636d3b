import { expect, test } from 'vitest';
import type { DriftIgnoreRule } from '../../lib/apply/types.ts';
import type { KubernetesObject } from '../../lib/core/object.ts';
import { refOf } from '../../lib/core/object.ts';
import { Applier, actions, clientOf, configMap, deployment, MANAGER } from '../support/apply.ts';
import { freshNamespace, useKubernetes } from '../support/cluster.ts';

const client = clientOf(await useKubernetes());
const replicas: DriftIgnoreRule = { paths: ['/spec/replicas'], target: { kind: 'Deployment' } };

interface Deployment extends KubernetesObject {
  spec: { replicas: number; template: { spec: { containers: Record<string, unknown>[] } } };
}

async function read(object: KubernetesObject): Promise<Deployment> {
  const live = await client.get<Deployment>(refOf(object));
  if (!live) throw new Error('it does not exist');
  return live;
}

function ownedByUs(object: KubernetesObject): unknown {
  const ours = object.metadata.managedFields?.find(
    ({ manager, operation, subresource }) => manager === MANAGER && operation === 'Apply' && !subresource,
  );
  return ours?.fieldsV1?.['f:spec'];
}

test('an ignored field is applied at creation, then left as others set it', async () => {
  const namespace = await freshNamespace('ignore');
  const applier = new Applier(client);
  const object = deployment(namespace, 'web');
  await applier.apply([object], { ignore: [replicas] });
  expect((await read(object)).spec.replicas).toBe(2);
  await client.patch(refOf(object), 'merge', { spec: { replicas: 5 } }, { fieldManager: 'some-autoscaler' });
  const writes = applier.counts.writes;
  expect(actions(await applier.apply([object], { ignore: [replicas] }))).toEqual({
    'Deployment/web': 'unchanged',
  });
  expect(applier.counts.writes).toBe(writes);
  expect((await read(object)).spec.replicas).toBe(5);
});

test('another change adopts the live value of an ignored field and keeps its ownership', async () => {
  const namespace = await freshNamespace('ignore');
  const applier = new Applier(client);
  const object = deployment(namespace, 'web');
  await applier.apply([object], { ignore: [replicas] });
  await client.patch(refOf(object), 'merge', { spec: { replicas: 5 } }, { fieldManager: 'some-autoscaler' });
  const changed = deployment(namespace, 'web');
  changed.metadata.labels = { app: 'web', tier: 'front' };
  expect(actions(await applier.apply([changed], { ignore: [replicas] }))).toEqual({
    'Deployment/web': 'configured',
  });
  const live = await read(object);
  expect(live.spec.replicas).toBe(5);
  expect(live.metadata.labels).toMatchObject({ tier: 'front' });
  expect(ownedByUs(live)).toHaveProperty('f:replicas');
});

test('an ignored field that another manager applies is given up', async () => {
  const namespace = await freshNamespace('ignore');
  const applier = new Applier(client);
  const object = deployment(namespace, 'web');
  await applier.apply([object], { ignore: [replicas] });
  const scaled = {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name: 'web', namespace },
    spec: { replicas: 6 },
  };
  await client.apply(scaled, { fieldManager: 'some-autoscaler', force: true });
  const changed = deployment(namespace, 'web');
  changed.metadata.labels = { app: 'web', tier: 'front' };
  await applier.apply([changed], { ignore: [replicas] });
  const live = await read(object);
  expect(live.spec.replicas).toBe(6);
  expect(ownedByUs(live)).not.toHaveProperty('f:replicas');
});

test('other fields are corrected all the same', async () => {
  const namespace = await freshNamespace('ignore');
  const applier = new Applier(client);
  const object = deployment(namespace, 'web');
  const ignore = [{ paths: ['/spec/template/spec/containers/0/resources'], target: { name: 'w.*' } }];
  await applier.apply([object], { ignore });
  const main = { name: 'main', image: 'nginx:9', resources: { limits: { memory: '512Mi' } } };
  const body = { spec: { template: { spec: { containers: [main] } } } };
  await client.patch(refOf(object), 'strategic', body, { fieldManager: 'some-vpa' });
  expect(actions(await applier.apply([object], { ignore }))).toEqual({ 'Deployment/web': 'configured' });
  const [container] = (await read(object)).spec.template.spec.containers;
  expect(container).toMatchObject({ image: 'nginx:1.27', resources: { limits: { memory: '512Mi' } } });
});

test('a rule that goes away lets the field be corrected', async () => {
  const namespace = await freshNamespace('ignore');
  const applier = new Applier(client);
  const object = deployment(namespace, 'web');
  await applier.apply([object], { ignore: [replicas] });
  await client.patch(refOf(object), 'merge', { spec: { replicas: 5 } }, { fieldManager: 'some-autoscaler' });
  await applier.apply([object], { ignore: [replicas] });
  expect(actions(await applier.apply([object]))).toEqual({ 'Deployment/web': 'configured' });
  expect((await read(object)).spec.replicas).toBe(2);
});

test('a rule concerns only the objects that its target selects', async () => {
  const namespace = await freshNamespace('ignore');
  const applier = new Applier(client);
  const labelled = (name: string, tier: string): KubernetesObject => {
    const object = configMap(namespace, name);
    object.metadata.labels = { tier };
    return object;
  };
  const objects = [labelled('a', 'front'), labelled('b', 'back')];
  const ignore = [
    { paths: ['/data/key'], target: { group: '', version: 'v1', labelSelector: 'tier in (front)' } },
  ];
  await applier.apply(objects, { ignore });
  for (const object of objects) {
    await client.patch(refOf(object), 'merge', { data: { key: 'x' } }, { fieldManager: 'some-controller' });
  }
  expect(actions(await applier.apply(objects, { ignore }))).toEqual({
    'ConfigMap/a': 'unchanged',
    'ConfigMap/b': 'configured',
  });
});

test('a malformed rule is named before anything is asked', async () => {
  const namespace = await freshNamespace('ignore');
  const applier = new Applier(client);
  const ignore = [replicas, { paths: ['spec.replicas'] }];
  await expect(applier.apply([configMap(namespace, 'a')], { ignore })).rejects.toThrow(
    'spec.ignore[1]: "spec.replicas" is not a JSON pointer',
  );
  expect(applier.counts).toEqual({ reads: 0, dryRuns: 0, writes: 0 });
});
