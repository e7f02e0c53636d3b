import { describe, expect, test } from 'vitest';
import type { KubernetesObject } from '../../lib/core/object.ts';
import { refOf } from '../../lib/core/object.ts';
import { Applier, actions, clientOf, configMap, OWNER, versions } from '../support/apply.ts';
import { freshNamespace, useKubernetes } from '../support/cluster.ts';

const client = clientOf(await useKubernetes());
const GROUP = OWNER.group;

function annotated(object: KubernetesObject, annotations: Record<string, string>): KubernetesObject {
  return { ...object, metadata: { ...object.metadata, annotations } };
}

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
