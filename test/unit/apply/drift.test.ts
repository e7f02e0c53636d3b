import { describe, expect, test } from 'vitest';
import { driftedOf, isDue, type Observable, observe } from '../../../lib/apply/drift.ts';
import type { AppliedRecord } from '../../../lib/apply/types.ts';
import type { ObjectMeta } from '../../../lib/core/object.ts';

const MANAGER = 'kustomize-controller';

function deployment(metadata: Partial<ObjectMeta> = {}): Observable {
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: {
      name: 'web',
      namespace: 'n',
      uid: 'u',
      resourceVersion: '5',
      generation: 1,
      labels: { a: 'b' },
      managedFields: [{ manager: MANAGER, operation: 'Apply', fieldsV1: { 'f:spec': {} } }],
      ...metadata,
    },
  };
}

function configMap(metadata: Partial<ObjectMeta> = {}): Observable {
  return {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name: 'c', namespace: 'n', uid: 'u', resourceVersion: '5', ...metadata },
  };
}

describe('an observation', () => {
  const before = observe(deployment(), MANAGER);
  const ours = { manager: MANAGER, operation: 'Apply' as const, fieldsV1: { 'f:spec': {} } };

  test.each<[string, Partial<ObjectMeta>]>([
    ['its uid', { uid: 'v' }],
    ['a deletion', { deletionTimestamp: '2026-01-01T00:00:00Z' }],
    ['its generation', { generation: 2 }],
    ['a label', { labels: { a: 'c' } }],
    ['an annotation', { annotations: { a: 'b' } }],
    ['our entry', { managedFields: [{ ...ours, fieldsV1: {} }] }],
    ['the time of our entry', { managedFields: [{ ...ours, time: '2026-01-01T00:00:00Z' }] }],
    ['an entry of kubectl', { managedFields: [ours, { manager: 'kubectl-edit', operation: 'Update' }] }],
    ['an update under our name', { managedFields: [ours, { manager: MANAGER, operation: 'Update' }] }],
  ])('changes with %s', (_what, metadata) => {
    expect(observe(deployment(metadata), MANAGER)).not.toBe(before);
  });

  test.each<[string, Partial<ObjectMeta>]>([
    ['its resourceVersion, where a generation counts', { resourceVersion: '9' }],
    [
      'a status written by its controller',
      { managedFields: [ours, { manager: 'kube', operation: 'Update', subresource: 'status' }] },
    ],
    ['an entry of another manager', { managedFields: [ours, { manager: 'hpa', operation: 'Update' }] }],
  ])('does not change with %s', (_what, metadata) => {
    expect(observe(deployment(metadata), MANAGER)).toBe(before);
  });

  test('of a kind without a generation changes with the resourceVersion', () => {
    expect(observe(configMap(), MANAGER)).not.toBe(observe(configMap({ resourceVersion: '6' }), MANAGER));
  });

  test('of a kind whose generation stands still changes with the resourceVersion', () => {
    const priority = (resourceVersion: string): Observable => ({
      apiVersion: 'scheduling.k8s.io/v1',
      kind: 'PriorityClass',
      metadata: { name: 'p', generation: 1, resourceVersion },
    });
    expect(observe(priority('1'), MANAGER)).not.toBe(observe(priority('2'), MANAGER));
  });
});

test('the sweep finds what was edited or deleted, and passes over what is not ours', () => {
  const record = (object: Observable): AppliedRecord => ({
    desired: 'd',
    observation: observe(object, MANAGER),
    checkedAt: 0,
  });
  const records = new Map([
    ['apps/Deployment/n/web', record(deployment())],
    ['/ConfigMap/n/c', record(configMap())],
    ['/ConfigMap/n/gone', record(configMap({ name: 'gone' }))],
  ]);
  const live = [deployment(), configMap({ resourceVersion: '8' }), configMap({ name: 'foreign' })];
  expect(driftedOf(records, live, MANAGER)).toEqual(['/ConfigMap/n/c', '/ConfigMap/n/gone']);
});

test('a whole comparison is due within a day of the last, not before three quarters of it', () => {
  const day = 24 * 3_600_000;
  for (const end of ['0000', '7fff', 'ffff']) {
    const record: AppliedRecord = { desired: 'd', observation: `sha256:${end}`, checkedAt: 1_000 };
    expect(isDue(record, 1_000 + day)).toBe(true);
    expect(isDue(record, 1_000 + day * 0.75 - 1)).toBe(false);
  }
});
