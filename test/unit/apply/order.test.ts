import fc from 'fast-check';
import { expect, test } from 'vitest';
import { compareRefs, type Sortable, stageOf } from '../../../lib/apply/order.ts';

function ref(kind: string, name = 'x', group = '', namespace = 'n'): Sortable {
  return { group, kind, namespace, name };
}

test('definitions come first, webhooks last, unknown kinds between them and the native ones', () => {
  const kinds = [
    'ValidatingWebhookConfiguration',
    'Widget',
    'Deployment',
    'Service',
    'Namespace',
    'ConfigMap',
    'CustomResourceDefinition',
    'MutatingWebhookConfiguration',
    'ServiceAccount',
    'ClusterRole',
  ];
  expect(
    kinds
      .map((kind) => ref(kind))
      .sort(compareRefs)
      .map(({ kind }) => kind),
  ).toEqual([
    'CustomResourceDefinition',
    'Namespace',
    'ClusterRole',
    'ServiceAccount',
    'ConfigMap',
    'Service',
    'Deployment',
    'Widget',
    'MutatingWebhookConfiguration',
    'ValidatingWebhookConfiguration',
  ]);
});

test('objects of a kind stand by namespace and name', () => {
  const refs = [ref('Secret', 'b', '', 'a'), ref('Secret', 'a', '', 'b'), ref('Secret', 'a', '', 'a')];
  expect(refs.sort(compareRefs).map(({ namespace, name }) => `${namespace}/${name}`)).toEqual([
    'a/a',
    'a/b',
    'b/a',
  ]);
});

test('the order does not depend on the order before', () => {
  const some = fc.constantFrom('Namespace', 'Widget', 'Gadget', 'Secret', 'ValidatingWebhookConfiguration');
  const refs = fc.array(fc.tuple(some, fc.constantFrom('a', 'b', 'c')), { maxLength: 12 });
  fc.assert(
    fc.property(refs, fc.infiniteStream(fc.nat()), (list, random) => {
      const items = list.map(([kind, name]) => ref(kind, name));
      const shuffled = items
        .map((item) => ({ item, key: random.next().value as number }))
        .sort((a, b) => a.key - b.key)
        .map(({ item }) => item);
      expect(shuffled.sort(compareRefs)).toEqual(items.toSorted(compareRefs));
    }),
  );
});

test.each([
  ['v1', 'Namespace', 'definitions'],
  ['apiextensions.k8s.io/v1', 'CustomResourceDefinition', 'definitions'],
  ['rbac.authorization.k8s.io/v1', 'ClusterRole', 'definitions'],
  ['example.com/v1', 'Namespace', 'resources'],
  ['storage.k8s.io/v1', 'StorageClass', 'classes'],
  ['gateway.networking.k8s.io/v1', 'GatewayClass', 'classes'],
  ['rbac.authorization.k8s.io/v1', 'ClusterRoleBinding', 'resources'],
  ['apps/v1', 'Deployment', 'resources'],
])('%s %s belongs to the stage of %s', (apiVersion, kind, stage) => {
  expect(stageOf({ apiVersion, kind })).toBe(stage);
});
