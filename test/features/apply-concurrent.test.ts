import { randomBytes } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import type { ApplyOptions } from '../../lib/apply/types.ts';
import { ReconcileError } from '../../lib/core/errors.ts';
import type { KubernetesObject } from '../../lib/core/object.ts';
import { refOf } from '../../lib/core/object.ts';
import { KubeError } from '../../lib/kube/errors.ts';
import { Applier, actions, clientOf, configMap, failureOf, previousOf } from '../support/apply.ts';
import { freshNamespace, useKubernetes } from '../support/cluster.ts';

const client = clientOf(await useKubernetes());

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

describe('after a worker that was cut off', () => {
  const fenced = (object: KubernetesObject) => ({ previous: previousOf([object]), fence: 'run' });
  const version = async (object: KubernetesObject) => (await client.getMetadata(refOf(object)))?.metadata;

  test('what is as it should be gets another version and nothing else, and is known as that', async () => {
    const object = configMap(await freshNamespace(), 'a');
    const applier = new Applier(client);
    await applier.apply([object]);
    const before = await version(object);
    applier.known = new Map();
    expect(actions(await applier.apply([object], fenced(object)))).toEqual({ 'ConfigMap/a': 'unchanged' });
    const after = await version(object);
    expect(after?.resourceVersion).not.toBe(before?.resourceVersion);
    expect({ ...after, resourceVersion: '' }).toEqual({ ...before, resourceVersion: '' });
    const { writes } = applier.counts;
    await applier.apply([object]);
    expect(applier.counts.writes).toBe(writes);
  });

  test('what that one deletes just before is created again', async () => {
    const object = configMap(await freshNamespace(), 'a');
    await new Applier(client).apply([object]);
    const applier = new Applier(client, async (method) => {
      if (method === 'patch') await client.delete(refOf(object));
    });
    await applier.apply([object], fenced(object));
    expect(await version(object)).toBeDefined();
  });

  test('what may not be annotated stays as it is, and the rest is applied', async () => {
    const namespace = await freshNamespace();
    const [object, other] = [configMap(namespace, 'a'), configMap(namespace, 'b')];
    await new Applier(client).apply([object]);
    const before = await version(object);
    const applier = new Applier(client, async (method) => {
      if (method === 'patch') throw new KubeError(403, 'a policy denies it');
    });
    expect(actions(await applier.apply([object, other], fenced(object)))).toEqual({
      'ConfigMap/a': 'unchanged',
      'ConfigMap/b': 'created',
    });
    expect((await version(object))?.resourceVersion).toBe(before?.resourceVersion);
  });
});
