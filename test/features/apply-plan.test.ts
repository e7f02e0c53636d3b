import { randomBytes } from 'node:crypto';
import { expect, test } from 'vitest';
import { type PlanEntry, type PlanOptions, plan } from '../../lib/apply/plan.ts';
import { entryOf } from '../../lib/core/inventory.ts';
import type { KubernetesObject } from '../../lib/core/object.ts';
import { refOf } from '../../lib/core/object.ts';
import {
  Applier,
  clientOf,
  configMap,
  counting,
  deployment,
  MANAGER,
  OWNER,
  versions,
} from '../support/apply.ts';
import { freshNamespace, useKubernetes } from '../support/cluster.ts';

const client = clientOf(await useKubernetes());

function options(more: Partial<PlanOptions> = {}): PlanOptions {
  return {
    owner: OWNER,
    fieldManager: MANAGER,
    force: false,
    concurrency: 8,
    ignore: [],
    signal: new AbortController().signal,
    now: Date.now,
    stale: [],
    prune: { protectedRefs: [], allowed: false },
    ...more,
  };
}

function lines(entries: readonly PlanEntry[]): string[] {
  return entries.map(({ ref, action }) => `${ref.kind}/${ref.name} ${action}`);
}

function secret(namespace: string, stringData: Record<string, string>): KubernetesObject {
  return { apiVersion: 'v1', kind: 'Secret', metadata: { name: 'keys', namespace }, stringData };
}

test('a plan names what would be created, configured, left and deleted, and writes nothing', async () => {
  const namespace = await freshNamespace('plan');
  const objects = [
    configMap(namespace, 'same'),
    configMap(namespace, 'changed'),
    configMap(namespace, 'old'),
  ];
  await new Applier(client).apply(objects);
  const before = await versions(client, objects);
  const counted = counting(client);
  const entries = await plan(
    counted.client,
    [
      configMap(namespace, 'same'),
      configMap(namespace, 'changed', { key: 'new' }),
      deployment(namespace, 'web'),
    ],
    options({ stale: [entryOf(configMap(namespace, 'old'))] }),
  );
  expect(lines(entries)).toEqual([
    'ConfigMap/changed configured',
    'ConfigMap/same unchanged',
    'Deployment/web created',
    'ConfigMap/old deleted',
  ]);
  expect(counted.counts.writes).toBe(0);
  expect(await versions(client, objects)).toEqual(before);
  expect(entries[0]?.diff).toContain(' data:\n-  key: value\n+  key: new\n');
  expect(entries[0]?.diff).not.toMatch(/managedFields|resourceVersion|uid/);
  expect(entries[2]?.diff).toContain('+  replicas: 2\n');
});

test('values of Secrets and kubectl copies of manifests are masked, changed keys are marked', async () => {
  const namespace = await freshNamespace('plan');
  const live = secret(namespace, { same: 'canary-same', changed: 'canary-before', gone: 'canary-gone' });
  const annotations = {
    'kubectl.kubernetes.io/last-applied-configuration': '{"stringData":{"x":"canary-copy"}}',
  };
  await client.create(
    { ...live, metadata: { ...live.metadata, annotations } },
    { fieldManager: 'kubectl-create' },
  );
  const planned = secret(namespace, { same: 'canary-same', changed: 'canary-after', added: 'canary-added' });
  const [entry] = await plan(client, [planned], options());
  expect(entry?.diff).toContain('-  changed: "*** (before)"');
  expect(entry?.diff).toContain('+  changed: "*** (after)"');
  expect(entry?.diff).toMatch(/^\+ {2}added: "\*\*\*"$/m);
  expect(entry?.diff).toMatch(/^- {2}gone: "\*\*\*"$/m);
  expect(entry?.diff).toMatch(/^- {4}kubectl.kubernetes.io\/last-applied-configuration/m);
  const text = JSON.stringify(entry);
  expect(text).not.toContain('canary');
  expect(text).not.toContain(Buffer.from('canary').toString('base64').slice(0, 7));
});

test('decrypted values are masked wherever they stand', async () => {
  const namespace = await freshNamespace('plan');
  const object = configMap(namespace, 'a', { url: 'postgres://db/canary-value' });
  const [entry] = await plan(client, [object], options({ secrets: ['canary-value'] }));
  expect(entry?.diff).toContain('postgres://db/***');
});

test('what the server would refuse is named with its reason', async () => {
  const namespace = await freshNamespace('plan');
  const bad = configMap(namespace, 'bad', { 'not a key!': 'x' });
  const unknown = { apiVersion: 'none.example.com/v1', kind: 'Gadget', metadata: { name: 'g', namespace } };
  const entries = await plan(client, [bad, unknown], options());
  expect(lines(entries)).toEqual(['ConfigMap/bad failed', 'Gadget/g failed']);
  expect(entries[0]?.detail).toContain('not a key!');
  expect(entries[1]?.detail).toContain('no matches for kind "Gadget"');
});

test('objects in a namespace, and of a kind, that the same render creates count as new', async () => {
  const name = `plan-${randomBytes(4).toString('hex')}`;
  const crd: KubernetesObject = {
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: { name: `pins.${name}.example.com` },
    spec: {
      group: `${name}.example.com`,
      names: { kind: 'Pin', plural: 'pins', singular: 'pin', listKind: 'PinList' },
      scope: 'Namespaced',
      versions: [
        { name: 'v1', served: true, storage: true, schema: { openAPIV3Schema: { type: 'object' } } },
      ],
    },
  };
  const objects: KubernetesObject[] = [
    crd,
    { apiVersion: 'v1', kind: 'Namespace', metadata: { name } },
    configMap(name, 'a'),
    { apiVersion: `${name}.example.com/v1`, kind: 'Pin', metadata: { name: 'p', namespace: name } },
  ];
  const entries = await plan(client, objects, options());
  expect(new Set(entries.map(({ action }) => action))).toEqual(new Set(['created']));
  expect(await client.get(refOf(crd))).toBeUndefined();
});

test('a change that needs a deletion is shown as one, when force allows it', async () => {
  const namespace = await freshNamespace('plan');
  const sealed = (value: string) => ({ ...configMap(namespace, 'sealed', { key: value }), immutable: true });
  await new Applier(client).apply([sealed('a')]);
  const [forced] = await plan(client, [sealed('b')], options({ force: true }));
  expect(forced).toMatchObject({
    action: 'configured',
    detail: expect.stringContaining('deleted and created again'),
  });
  const [refused] = await plan(client, [sealed('b')], options());
  expect(refused).toMatchObject({ action: 'failed', detail: expect.stringContaining('force: Enabled') });
});

test('ignored fields do not show', async () => {
  const namespace = await freshNamespace('plan');
  await new Applier(client).apply([configMap(namespace, 'a', { key: 'live', other: '1' })]);
  const ignore = [{ paths: ['/data/key'] }];
  const planned = configMap(namespace, 'a', { key: 'planned', other: '2' });
  const [entry] = await plan(client, [planned], options({ ignore }));
  expect(entry?.diff).toContain('+  other: "2"');
  expect(entry?.diff).not.toContain('planned:');
  expect(entry?.diff).not.toContain('key: planned');
});

test('what goes because kubectl is not its owner any more is shown, and comes true', async () => {
  const namespace = await freshNamespace('plan');
  const object = deployment(namespace, 'web');
  await new Applier(client).apply([object]);
  const containers = [
    { name: 'extra', image: 'x' },
    { name: 'main', env: [{ name: 'DEBUG', value: '1' }] },
  ];
  const body = { metadata: { labels: { a: 'b' } }, spec: { template: { spec: { containers } } } };
  await client.patch(refOf(object), 'strategic', body, { fieldManager: 'kubectl-edit' });
  const [entry] = await plan(client, [object], options());
  expect(entry?.action).toBe('configured');
  for (const line of ['-    a: b', '-          image: x', '-            - name: DEBUG']) {
    expect(entry?.diff).toContain(`${line}\n`);
  }
  expect(entry?.diff).not.toMatch(/^\+ /m);
  await new Applier(client).apply([object]);
  const [after] = await plan(client, [object], options());
  expect(after?.action).toBe('unchanged');
});
