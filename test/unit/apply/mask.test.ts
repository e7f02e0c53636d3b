import { expect, test } from 'vitest';
import { maskPair } from '../../../lib/apply/mask.ts';
import type { KubernetesObject } from '../../../lib/core/object.ts';

function secret(data: unknown, annotations?: Record<string, string>): KubernetesObject {
  return {
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: { name: 's', ...(annotations ? { annotations } : {}) },
    data,
  };
}

test('values that stayed, changed, came and went look different, and none shows', () => {
  const [before, after] = maskPair(secret({ a: '1', b: '2', c: '3' }), secret({ a: '1', b: '9', d: '4' }));
  expect(before?.data).toEqual({ a: '***', b: '*** (before)', c: '***' });
  expect(after?.data).toEqual({ a: '***', b: '*** (after)', d: '***' });
});

test('a new or deleted Secret is masked too', () => {
  expect(maskPair(undefined, secret({ a: '1' }))[1]?.data).toEqual({ a: '***' });
  expect(maskPair(secret({ a: '1' }), undefined)[0]?.data).toEqual({ a: '***' });
});

test('data that is no map is masked whole', () => {
  expect(maskPair(secret('text'), secret(['a']))).toMatchObject([{ data: '***' }, { data: '***' }]);
});

test("kubectl's copy of a manifest is masked in every kind", () => {
  const annotations = { 'kubectl.kubernetes.io/last-applied-configuration': 'canary', note: 'shown' };
  const object = { ...secret({}, annotations), kind: 'ConfigMap' };
  expect(maskPair(object, undefined)[0]?.metadata.annotations).toEqual({
    'kubectl.kubernetes.io/last-applied-configuration': '***',
    note: 'shown',
  });
});

test('the objects given are not changed', () => {
  const given = secret({ a: '1' });
  maskPair(given, given);
  expect(given.data).toEqual({ a: '1' });
});
