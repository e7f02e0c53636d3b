import { randomBytes } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { type PruneOptions, type PruneResult, prune } from '../../lib/apply/prune.ts';
import { entryOf, type InventoryEntry } from '../../lib/core/inventory.ts';
import type { KubernetesObject, ObjectRef } from '../../lib/core/object.ts';
import { refOf } from '../../lib/core/object.ts';
import { Applier, clientOf, configMap, counting, deployment, OWNER } from '../support/apply.ts';
import { freshNamespace, useKubernetes } from '../support/cluster.ts';

const client = clientOf(await useKubernetes());
const GROUP = OWNER.group;

function options(more: Partial<PruneOptions> = {}): PruneOptions {
  return {
    owner: OWNER,
    protectedRefs: [],
    allowed: false,
    concurrency: 8,
    signal: new AbortController().signal,
    now: Date.now,
    ...more,
  };
}

function entries(...objects: KubernetesObject[]): InventoryEntry[] {
  return objects.map(entryOf);
}

function fates({ changeSet }: PruneResult): Record<string, string> {
  return Object.fromEntries(changeSet.entries.map(({ ref, action }) => [`${ref.kind}/${ref.name}`, action]));
}

async function exists(object: KubernetesObject): Promise<boolean> {
  return (await client.getMetadata(refOf(object))) !== undefined;
}

async function edit(object: KubernetesObject, metadata: Record<string, unknown>): Promise<void> {
  await client.patch(refOf(object), 'merge', { metadata });
}

function namespaceObject(name: string): KubernetesObject {
  return { apiVersion: 'v1', kind: 'Namespace', metadata: { name } };
}

/** Lets nobody delete objects with the label `keep` in one namespace, until the returned function is called. */
async function forbidDeletion(namespace: string): Promise<() => Promise<void>> {
  const name = `no-delete-${namespace}`;
  const policy: KubernetesObject = {
    apiVersion: 'admissionregistration.k8s.io/v1',
    kind: 'ValidatingAdmissionPolicy',
    metadata: { name },
    spec: {
      matchConstraints: {
        namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': namespace } },
        resourceRules: [
          { apiGroups: [''], apiVersions: ['v1'], operations: ['DELETE'], resources: ['configmaps'] },
        ],
      },
      validations: [
        { expression: '!oldObject.metadata.name.startsWith("keep")', message: 'it must be kept' },
      ],
    },
  };
  const binding: KubernetesObject = {
    apiVersion: 'admissionregistration.k8s.io/v1',
    kind: 'ValidatingAdmissionPolicyBinding',
    metadata: { name },
    spec: { policyName: name, validationActions: ['Deny'] },
  };
  await client.create(policy);
  await client.create(binding);
  const probe = configMap(namespace, 'keep-probe');
  await client.create(probe);
  await expect
    .poll(
      () =>
        client.delete(refOf(probe), { dryRun: true }).then(
          () => 'allowed',
          () => 'refused',
        ),
      { timeout: 30_000 },
    )
    .toBe('refused');
  return async () => {
    await client.delete(refOf(binding));
    await client.delete(refOf(policy));
    await expect
      .poll(
        () =>
          client.delete(refOf(probe), { dryRun: true }).then(
            () => 'allowed',
            () => 'refused',
          ),
        {
          timeout: 30_000,
        },
      )
      .toBe('allowed');
  };
}

describe('prune', () => {
  test('deletes what the render no longer holds, in reverse order', async () => {
    const namespace = await freshNamespace('prune');
    const objects = [configMap(namespace, 'a'), deployment(namespace, 'web')];
    await new Applier(client).apply(objects);
    const result = await prune(client, entries(...objects), options());
    expect(result.error).toBeUndefined();
    expect(result.survivors).toEqual([]);
    expect(result.changeSet.entries.map(({ ref, action }) => `${ref.kind} ${action}`)).toEqual([
      'Deployment deleted',
      'ConfigMap deleted',
    ]);
    expect(await Promise.all(objects.map(exists))).toEqual([false, false]);
  });

  test('sends uid and resourceVersion with every deletion', async () => {
    const namespace = await freshNamespace('prune');
    const object = configMap(namespace, 'a');
    await new Applier(client).apply([object]);
    const sent: unknown[] = [];
    const counted = counting(client, async (method, args) => {
      if (method === 'delete') sent.push(args[1]);
    });
    await prune(counted.client, entries(object), options());
    expect(sent).toEqual([
      expect.objectContaining({ uid: expect.any(String), resourceVersion: expect.any(String) }),
    ]);
  });

  test('looks again at an object that changes just before its deletion', async () => {
    const namespace = await freshNamespace('prune');
    const object = configMap(namespace, 'a');
    await new Applier(client).apply([object]);
    let saved = false;
    const counted = counting(client, async (method) => {
      if (method !== 'delete' || saved) return;
      saved = true;
      await edit(object, { annotations: { [`${GROUP}/prune`]: 'Disabled' } });
    });
    const result = await prune(counted.client, entries(object), options());
    expect(fates(result)).toEqual({ 'ConfigMap/a': 'skipped' });
    expect(await exists(object)).toBe(true);
  });

  test('counts an object that is gone already as deleted', async () => {
    const namespace = await freshNamespace('prune');
    const result = await prune(client, entries(configMap(namespace, 'gone')), options());
    expect(fates(result)).toEqual({ 'ConfigMap/gone': 'deleted' });
  });

  test('leaves an object that is gone, or going, to whoever holds it too, and waits for none of them', async () => {
    const namespace = await freshNamespace('prune');
    const [gone, going] = [configMap(namespace, 'gone'), configMap(namespace, 'going')];
    await new Applier(client).apply([going]);
    await edit(going, { finalizers: ['example.com/hold'] });
    await client.delete(refOf(going));
    const left: string[] = [];
    const others = {
      claimed: async () => ({ by: 'Kustomization/n/other', settled: false }),
      leaveToOthers: async ({ name }: ObjectRef) => void left.push(name),
    };
    const result = await prune(client, entries(gone, going), options(others));
    expect(fates(result)).toEqual({ 'ConfigMap/gone': 'deleted', 'ConfigMap/going': 'deleted' });
    expect(result.survivors).toEqual([]);
    expect(left.sort()).toEqual(['going', 'gone']);
    await edit(going, { finalizers: null });
  });

  test('leaves objects that are another owner, unlabelled, or controlled', async () => {
    const namespace = await freshNamespace('prune');
    const [moved, bare, child] = ['moved', 'bare', 'child'].map((name) => configMap(namespace, name)) as [
      KubernetesObject,
      KubernetesObject,
      KubernetesObject,
    ];
    const parent = configMap(namespace, 'parent');
    await new Applier(client).apply([moved, bare, child, parent]);
    await edit(moved, { labels: { [`${GROUP}/name`]: 'other' } });
    await edit(bare, { labels: { [`${GROUP}/name`]: null } });
    const uid = (await client.getMetadata(refOf(parent)))?.metadata.uid;
    const owner = { apiVersion: 'v1', kind: 'ConfigMap', name: 'parent', uid, controller: true };
    await edit(child, { ownerReferences: [owner] });
    const result = await prune(client, entries(moved, bare, child), options());
    expect(fates(result)).toEqual({
      'ConfigMap/moved': 'skipped',
      'ConfigMap/bare': 'skipped',
      'ConfigMap/child': 'skipped',
    });
    expect(result.survivors).toEqual([]);
    expect(await Promise.all([moved, bare, child].map(exists))).toEqual([true, true, true]);
  });

  test('leaves an object that another Kustomization applies too', async () => {
    const namespace = await freshNamespace('prune');
    const [shared, own] = [configMap(namespace, 'shared'), configMap(namespace, 'own')];
    await new Applier(client).apply([shared, own]);
    const claimed = async ({ name }: ObjectRef) =>
      name === 'shared' ? { by: 'Kustomization/n/other', settled: true } : undefined;
    const result = await prune(client, entries(shared, own), options({ claimed }));
    expect(fates(result)).toEqual({ 'ConfigMap/shared': 'skipped', 'ConfigMap/own': 'deleted' });
    expect(result.survivors).toEqual([]);
    expect(await exists(shared)).toBe(true);
  });

  test.each([
    ['prune', 'Disabled'],
    ['prune', 'disabled'],
    ['reconcile', 'disabled'],
    ['ssa', 'Ignore'],
  ])('keeps an object with %s: %s and lets it go from the inventory', async (key, value) => {
    const namespace = await freshNamespace('prune');
    const object = configMap(namespace, 'a');
    await new Applier(client).apply([object]);
    await edit(object, { annotations: { [`${GROUP}/${key}`]: value } });
    const result = await prune(client, entries(object), options());
    expect(fates(result)).toEqual({ 'ConfigMap/a': 'skipped' });
    expect(result.survivors).toEqual([]);
    expect(await exists(object)).toBe(true);
  });

  test('never takes CRDs of the Toolkit, nor what is protected', async () => {
    const namespace = await freshNamespace('prune');
    const object = configMap(namespace, 'root');
    await new Applier(client).apply([object]);
    const crd: KubernetesObject = {
      apiVersion: 'apiextensions.k8s.io/v1',
      kind: 'CustomResourceDefinition',
      metadata: { name: 'kustomizations.kustomize.toolkit.fluxcd.io' },
    };
    const counted = counting(client);
    const result = await prune(
      counted.client,
      entries(object, crd),
      options({ protectedRefs: [refOf(object)], allowed: true }),
    );
    expect(new Set(Object.values(fates(result)))).toEqual(new Set(['skipped']));
    expect(counted.counts.writes).toBe(0);
    expect(await exists(object)).toBe(true);
  });

  test('skips objects whose kind is served no longer, and finds those whose version has changed', async () => {
    const namespace = await freshNamespace('prune');
    const object = deployment(namespace, 'web');
    await new Applier(client).apply([object]);
    const retired = { ...entryOf(object), v: 'v1beta1' };
    const unserved = { id: `${namespace}_w_gone.example.com_Widget`, v: 'v1' };
    const result = await prune(client, [retired, unserved], options());
    expect(result.error).toBeUndefined();
    expect(fates(result)).toEqual({ 'Deployment/web': 'deleted', 'Widget/w': 'skipped' });
    expect(await exists(object)).toBe(false);
  });

  test('keeps entries that it cannot read', async () => {
    const broken = { id: 'nonsense', v: 'v1' };
    const result = await prune(client, [broken], options());
    expect(result.survivors).toEqual([broken]);
  });

  test('keeps refused objects in the inventory, deletes the others, and says why', async () => {
    const namespace = await freshNamespace('prune');
    const objects = ['a', 'keep-1', 'b', 'keep-2'].map((name) => configMap(namespace, name));
    await new Applier(client).apply(objects);
    const allow = await forbidDeletion(namespace);
    const refused = await prune(client, entries(...objects), options());
    expect(refused.error).toMatchObject({ reason: 'PruneFailed', outcome: 'retry' });
    expect(refused.error?.message).toContain(`ConfigMap/${namespace}/keep-1 delete failed`);
    expect(refused.error?.message).toContain('it must be kept');
    expect(refused.survivors.map(({ id }) => id).sort()).toEqual([
      `${namespace}_keep-1__ConfigMap`,
      `${namespace}_keep-2__ConfigMap`,
    ]);
    expect(fates(refused)).toEqual({ 'ConfigMap/a': 'deleted', 'ConfigMap/b': 'deleted' });
    await allow();
    const retried = await prune(client, refused.survivors, options());
    expect(retried).toMatchObject({ survivors: [], error: undefined });
    expect(await Promise.all(objects.map(exists))).toEqual([false, false, false, false]);
  });

  test('stops when the lease is lost', async () => {
    const namespace = await freshNamespace('prune');
    const object = configMap(namespace, 'a');
    await new Applier(client).apply([object]);
    const beforeWrite = async () => {
      throw new Error('the lease is lost');
    };
    await expect(prune(client, entries(object), options({ beforeWrite }))).rejects.toThrow(
      'the lease is lost',
    );
    expect(await exists(object)).toBe(true);
  });

  test('waits for termination when asked, and names the finalizers of what stays', async () => {
    const namespace = await freshNamespace('prune');
    const object = configMap(namespace, 'a');
    await new Applier(client).apply([object]);
    await edit(object, { finalizers: ['example.com/hold'] });
    const stuck = await prune(client, entries(object), options({ waitForTermination: 50 }));
    expect(stuck.error?.message).toContain('example.com/hold');
    expect(fates(stuck)).toEqual({ 'ConfigMap/a': 'deleted' });
    const sleep = async () => {
      await edit(object, { finalizers: null });
    };
    const gone = await prune(client, entries(object), options({ waitForTermination: 10_000, sleep }));
    expect(gone.error).toBeUndefined();
    expect(await exists(object)).toBe(false);
  });
});

describe('what would be deleted with others', () => {
  test('a namespace with objects of another Kustomization stays until that is allowed', async () => {
    const name = `prune-${randomBytes(4).toString('hex')}`;
    const [mine, theirs] = [configMap(name, 'mine'), configMap(name, 'theirs')];
    await new Applier(client).apply([namespaceObject(name), mine]);
    await new Applier(client).apply([theirs], { owner: { ...OWNER, name: 'other' } });
    const stale = entries(namespaceObject(name), mine);
    const refused = await prune(client, stale, options());
    expect(refused.error?.message).toContain(
      `Namespace/${name} was not deleted, because ConfigMap/${name}/theirs`,
    );
    expect(refused.survivors.map(({ id }) => id)).toEqual([`_${name}__Namespace`]);
    expect(await exists(theirs)).toBe(true);
    const allowed = await prune(client, refused.survivors, options({ allowed: true }));
    expect(fates(allowed)).toEqual({ [`Namespace/${name}`]: 'deleted' });
  });

  test('a namespace with a volume claim stays, one with nothing but its own goes', async () => {
    const [kept, gone] = [0, 1].map(() => `prune-${randomBytes(4).toString('hex')}`) as [string, string];
    await new Applier(client).apply([namespaceObject(kept), namespaceObject(gone), configMap(gone, 'a')]);
    const claim: KubernetesObject = {
      apiVersion: 'v1',
      kind: 'PersistentVolumeClaim',
      metadata: { name: 'data', namespace: kept },
      spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } } },
    };
    await client.create(claim);
    const stale = entries(namespaceObject(kept), namespaceObject(gone), configMap(gone, 'a'));
    const result = await prune(client, stale, options());
    expect(result.error?.message).toContain(`PersistentVolumeClaim/${kept}/data`);
    expect(fates(result)).toMatchObject({ [`Namespace/${gone}`]: 'deleted', 'ConfigMap/a': 'deleted' });
    expect(await exists(claim)).toBe(true);
    await prune(client, result.survivors, options({ allowed: true }));
  });

  test('a CRD with custom resources of others stays until they are gone', async () => {
    const namespace = await freshNamespace('prune');
    const group = `p${randomBytes(4).toString('hex')}.example.com`;
    const crd: KubernetesObject = {
      apiVersion: 'apiextensions.k8s.io/v1',
      kind: 'CustomResourceDefinition',
      metadata: { name: `gears.${group}` },
      spec: {
        group,
        names: { kind: 'Gear', plural: 'gears', singular: 'gear', listKind: 'GearList' },
        scope: 'Namespaced',
        versions: [
          { name: 'v1', served: true, storage: true, schema: { openAPIV3Schema: { type: 'object' } } },
        ],
      },
    };
    const gear: KubernetesObject = {
      apiVersion: `${group}/v1`,
      kind: 'Gear',
      metadata: { name: 'g', namespace },
    };
    await new Applier(client).apply([crd]);
    await client.create(gear);
    const refused = await prune(client, entries(crd), options());
    expect(refused.error?.message).toContain(`Gear/${namespace}/g would be deleted with it`);
    expect(await exists(gear)).toBe(true);
    await client.delete(refOf(gear));
    const done = await prune(client, refused.survivors, options());
    expect(done.error).toBeUndefined();
    await expect.poll(() => exists(crd), { timeout: 20_000 }).toBe(false);
  });
});
