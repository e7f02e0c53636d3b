import { describe, expect, test } from 'vitest';
import { normalize } from '../../../lib/apply/normalize.ts';
import type { Owner } from '../../../lib/apply/types.ts';
import type { KubernetesObject } from '../../../lib/core/object.ts';

const owner: Owner = {
  kind: 'Kustomization',
  group: 'kustomize.toolkit.fluxcd.io',
  name: 'app',
  namespace: 'flux-system',
};
const labels = {
  'kustomize.toolkit.fluxcd.io/name': 'app',
  'kustomize.toolkit.fluxcd.io/namespace': 'flux-system',
};

function object(apiVersion: string, kind: string, more: Record<string, unknown>): KubernetesObject {
  return { apiVersion, kind, metadata: { name: 'x', namespace: 'n' }, ...more };
}

test('labels of the owner are added, and replace those of another', () => {
  const given = object('v1', 'ConfigMap', {});
  given.metadata.labels = { a: 'b', 'kustomize.toolkit.fluxcd.io/name': 'other' };
  expect(normalize(given, owner).metadata.labels).toEqual({ a: 'b', ...labels });
});

test('status and what only servers set is left out, everything else stays', () => {
  const given = object('example.com/v1', 'Widget', {
    spec: { future: { field: [1, null] } },
    status: { ready: true },
  });
  Object.assign(given.metadata, {
    uid: 'u',
    resourceVersion: '1',
    creationTimestamp: null,
    finalizers: ['f'],
  });
  expect(normalize(given, owner)).toEqual({
    apiVersion: 'example.com/v1',
    kind: 'Widget',
    metadata: { name: 'x', namespace: 'n', labels, finalizers: ['f'] },
    spec: { future: { field: [1, null] } },
  });
});

test('the object given is not changed', () => {
  const given = object('v1', 'Secret', { stringData: { a: 'b' }, status: {} });
  const before = structuredClone(given);
  normalize(given, owner);
  expect(given).toEqual(before);
});

describe('null', () => {
  test('is the same as nothing in native kinds', () => {
    const given = object('apps/v1', 'Deployment', {
      spec: { replicas: null, template: { spec: { nodeSelector: null } } },
    });
    expect(normalize(given, owner).spec).toEqual({ template: { spec: {} } });
  });

  test('stays in custom resources, where it may mean something', () => {
    const given = object('example.com/v1', 'Widget', { spec: { size: null } });
    expect(normalize(given, owner).spec).toEqual({ size: null });
  });
});

describe('a Secret', () => {
  test('gets stringData folded into data, which it overrides', () => {
    const given = object('v1', 'Secret', { data: { a: 'b2xk', b: 'Yg==' }, stringData: { a: 'grüße' } });
    const result = normalize(given, owner);
    expect(result.data).toEqual({ a: Buffer.from('grüße').toString('base64'), b: 'Yg==' });
    expect(result).not.toHaveProperty('stringData');
  });

  test.each([
    [{ stringData: { a: 1 } }, 'stringData["a"] must be a text'],
    [{ stringData: ['a'] }, 'must be maps'],
  ])('with %o is refused', (more, message) => {
    expect(() => normalize(object('v1', 'Secret', more), owner)).toThrow(message);
  });
});

test('ports without a protocol get TCP, as their identity needs one', () => {
  const ports = [{ containerPort: 80 }, { containerPort: 53, protocol: 'UDP' }];
  const spec = {
    template: { spec: { containers: [{ name: 'a' }, { name: 'b', ports }], initContainers: [{ ports }] } },
  };
  const filled = [
    { containerPort: 80, protocol: 'TCP' },
    { containerPort: 53, protocol: 'UDP' },
  ];
  expect(normalize(object('apps/v1', 'StatefulSet', { spec }), owner).spec).toEqual({
    template: {
      spec: {
        containers: [{ name: 'a' }, { name: 'b', ports: filled }],
        initContainers: [{ ports: filled }],
      },
    },
  });
  const service = object('v1', 'Service', { spec: { ports: [{ port: 1 }] } });
  expect(normalize(service, owner).spec).toEqual({ ports: [{ port: 1, protocol: 'TCP' }] });
  const other = object('serving.knative.dev/v1', 'Service', { spec: { ports: [{ port: 1 }] } });
  expect(normalize(other, owner).spec).toEqual({ ports: [{ port: 1 }] });
});

test('a placeholder for a certificate of a CRD is left out', () => {
  const clientConfig = { caBundle: 'Cg==', service: { name: 's' } };
  const given = object('apiextensions.k8s.io/v1', 'CustomResourceDefinition', {
    spec: { conversion: { webhook: { clientConfig } } },
  });
  expect(normalize(given, owner).spec).toEqual({
    conversion: { webhook: { clientConfig: { service: { name: 's' } } } },
  });
});

test.each([
  [{ labels: { a: 1 } }, 'metadata.labels["a"] must be a text'],
  [{ annotations: { a: true } }, 'metadata.annotations["a"] must be a text'],
  [{ labels: ['a'] }, 'metadata.labels must be a map'],
])('metadata %o is refused, naming the object', (metadata, message) => {
  const given = object('v1', 'ConfigMap', {});
  Object.assign(given.metadata, metadata);
  expect(() => normalize(given, owner)).toThrow(message);
  expect(() => normalize(given, owner)).toThrow('ConfigMap/n/x');
});
