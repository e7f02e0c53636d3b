import { expect, test } from 'vitest';
import { driftedPaths } from '../../../lib/apply/compare.ts';
import type { KubernetesObject } from '../../../lib/core/object.ts';

function object(more: Record<string, unknown>, metadata: Record<string, unknown> = {}): KubernetesObject {
  return { apiVersion: 'v1', kind: 'X', metadata: { name: 'x', ...metadata }, ...more };
}

test('status and the metadata of the server do not count', () => {
  const live = object({ status: { a: 1 } }, { resourceVersion: '1', generation: 1, finalizers: ['a'] });
  expect(driftedPaths(live, object({}, { resourceVersion: '2', managedFields: [] }))).toEqual([]);
});

test('no labels are the same as empty ones', () => {
  expect(driftedPaths(object({}, { labels: {} }), object({}))).toEqual([]);
});

test('paths are named, values are not', () => {
  const live = object({ data: { 'tls.crt': 'secret-1', b: 'x' } }, { labels: { a: '1' } });
  const dryRun = object({ data: { 'tls.crt': 'secret-2', c: 'x' } }, { labels: { a: '2' } });
  const paths = driftedPaths(live, dryRun);
  expect(new Set(paths)).toEqual(new Set(['data["tls.crt"]', 'data.b', 'data.c', 'metadata.labels.a']));
});

test('items of lists are named by place, lists of another length as a whole', () => {
  expect(driftedPaths(object({ l: [{ a: 1 }, { a: 2 }] }), object({ l: [{ a: 1 }, { a: 3 }] }))).toEqual([
    'l[1].a',
  ]);
  expect(driftedPaths(object({ l: [1] }), object({ l: [1, 2] }))).toEqual(['l']);
});

test('no more than the limit are named', () => {
  const many = (value: number) =>
    Object.fromEntries(Array.from({ length: 50 }, (_, index) => [`k${index}`, value]));
  expect(driftedPaths(object({ data: many(1) }), object({ data: many(2) }), 3)).toHaveLength(3);
});
