import { expect, test } from 'vitest';
import type { KubernetesObject } from '../../lib/core/object.ts';
import { identityOf, refOf } from '../../lib/core/object.ts';
import { Applier, actions, clientOf, configMap, OWNER } from '../support/apply.ts';
import { freshNamespace, useKubernetes } from '../support/cluster.ts';

const client = clientOf(await useKubernetes());

function job(namespace: string, image: string, annotations?: Record<string, string>): KubernetesObject {
  return {
    apiVersion: 'batch/v1',
    kind: 'Job',
    metadata: { name: 'migrate', namespace, ...(annotations ? { annotations } : {}) },
    spec: {
      suspend: true,
      template: { spec: { restartPolicy: 'Never', containers: [{ name: 'main', image }] } },
    },
  };
}

function immutableSecret(namespace: string, value: string): KubernetesObject {
  return {
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: { name: 'sealed', namespace },
    immutable: true,
    stringData: { key: value },
  };
}

async function uidOf(object: KubernetesObject): Promise<string | undefined> {
  return (await client.getMetadata(refOf(object)))?.metadata.uid;
}

test('a Job with a new image is made again with force, once', async () => {
  const namespace = await freshNamespace('force');
  const applier = new Applier(client);
  await applier.apply([job(namespace, 'app:1')]);
  const first = await uidOf(job(namespace, ''));
  const result = await applier.apply([job(namespace, 'app:2')], { force: true });
  expect(actions(result)).toEqual({ 'Job/migrate': 'created' });
  expect(result.changeSet.entries[0]?.detail).toContain('deleted and created again');
  const second = await uidOf(job(namespace, ''));
  expect(second).not.toBe(first);
  expect(actions(await applier.apply([job(namespace, 'app:2')], { force: true }))).toEqual({
    'Job/migrate': 'unchanged',
  });
  expect(await uidOf(job(namespace, ''))).toBe(second);
});

test('the annotation force: Enabled does the same for one object', async () => {
  const namespace = await freshNamespace('force');
  const applier = new Applier(client);
  const annotations = { [`${OWNER.group}/force`]: 'Enabled' };
  await applier.apply([job(namespace, 'app:1', annotations)]);
  const first = await uidOf(job(namespace, ''));
  await applier.apply([job(namespace, 'app:2', annotations)]);
  expect(await uidOf(job(namespace, ''))).not.toBe(first);
});

test('force waits for finalizers of the old object', async () => {
  const namespace = await freshNamespace('force');
  const applier = new Applier(client);
  await applier.apply([immutableSecret(namespace, 'one')]);
  const ref = refOf(immutableSecret(namespace, ''));
  await client.patch(ref, 'merge', { metadata: { finalizers: ['example.com/hold'] } }, { fieldManager: 'x' });
  let waited = 0;
  const sleep = async () => {
    waited += 1;
    if (waited === 2) await client.patch(ref, 'merge', { metadata: { finalizers: null } });
  };
  await applier.apply([immutableSecret(namespace, 'two')], { force: true, sleep });
  expect(waited).toBeGreaterThanOrEqual(2);
  const live = await client.get<KubernetesObject>(ref);
  expect(live?.data).toEqual({ key: Buffer.from('two').toString('base64') });
});

test('force never deletes an object for a manifest that is simply wrong', async () => {
  const namespace = await freshNamespace('force');
  const applier = new Applier(client);
  const good = configMap(namespace, 'a');
  await applier.apply([good]);
  const uid = await uidOf(good);
  const bad = { ...good, data: { 'not a key!': 'x' } };
  await expect(applier.apply([bad], { force: true })).rejects.toThrow('a new one would be refused too');
  expect(await uidOf(good)).toBe(uid);

  await applier.apply([job(namespace, 'app:1')]);
  const jobUid = await uidOf(job(namespace, ''));
  const wrong = job(namespace, 'app:2');
  (wrong.spec as { template: { spec: Record<string, unknown> } }).template.spec.restartPolicy = 'Sometimes';
  await expect(applier.apply([wrong], { force: true })).rejects.toThrow('It was not deleted');
  expect(await uidOf(job(namespace, ''))).toBe(jobUid);
});

test('force on a whole set does not delete a CRD and everything of its kind', async () => {
  const group = `f${Math.abs(Date.now() % 1e9)}.example.com`;
  const crd = (scope: string): KubernetesObject => ({
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: { name: `cogs.${group}` },
    spec: {
      group,
      names: { kind: 'Cog', plural: 'cogs', singular: 'cog', listKind: 'CogList' },
      scope,
      versions: [
        { name: 'v1', served: true, storage: true, schema: { openAPIV3Schema: { type: 'object' } } },
      ],
    },
  });
  const applier = new Applier(client);
  await applier.apply([crd('Namespaced')]);
  const uid = await uidOf(crd(''));
  await expect(applier.apply([crd('Cluster')], { force: true })).rejects.toThrow(
    'everything in it would go too',
  );
  expect(await uidOf(crd(''))).toBe(uid);
  await client.delete(refOf(crd('')));
});

test('an object that is in the way with a cluster IP of its own is still made again', async () => {
  const namespace = await freshNamespace('force');
  const service = (clusterIP: string): KubernetesObject => ({
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name: 's', namespace },
    spec: { clusterIP, ports: [{ port: 80 }] },
  });
  const applier = new Applier(client);
  await applier.apply([service('10.0.77.10')]);
  await applier.apply([service('10.0.77.11')], { force: true });
  const live = await client.get<KubernetesObject & { spec: { clusterIP: string } }>(refOf(service('')));
  expect(live?.spec.clusterIP).toBe('10.0.77.11');
});

test('an object changed between comparison and deletion is looked at again', async () => {
  const namespace = await freshNamespace('force');
  const object = job(namespace, 'app:1');
  await new Applier(client).apply([object]);
  let raced = false;
  const applier = new Applier(client, async (method) => {
    if (method !== 'delete' || raced) return;
    raced = true;
    const annotations = { [`${OWNER.group}/reconcile`]: 'disabled' };
    await client.patch(refOf(object), 'merge', { metadata: { annotations } });
  });
  const uid = await uidOf(object);
  const previous = new Set([identityOf(refOf(object))]);
  const result = await applier.apply([job(namespace, 'app:2')], { force: true, previous });
  expect(raced).toBe(true);
  expect(actions(result)).toEqual({ 'Job/migrate': 'skipped' });
  expect(await uidOf(object)).toBe(uid);
});
