import { expect, test } from 'vitest';
import { readinessOf } from '../../../lib/apply/wait.ts';
import type { KubernetesObject } from '../../../lib/core/object.ts';

function object(apiVersion: string, kind: string, status: unknown, metadata = {}): KubernetesObject {
  return { apiVersion, kind, metadata: { name: 'x', generation: 2, ...metadata }, status };
}

const CRD = ['apiextensions.k8s.io/v1', 'CustomResourceDefinition'] as const;
const condition = (type: string, status: string) => ({ conditions: [{ type, status, message: 'because' }] });

test.each([
  ['a CRD without a status', object(...CRD, {}), 'waiting'],
  ['a CRD that is established', object(...CRD, condition('Established', 'True')), 'ready'],
  ['a CRD whose names are taken', object(...CRD, condition('NamesAccepted', 'False')), 'failed'],
  ['an active namespace', object('v1', 'Namespace', { phase: 'Active' }), 'ready'],
  ['a namespace that is going', object('v1', 'Namespace', { phase: 'Terminating' }), 'waiting'],
  ['a cluster role', object('rbac.authorization.k8s.io/v1', 'ClusterRole', undefined), 'ready'],
  ['a class without a status', object('storage.k8s.io/v1', 'StorageClass', undefined), 'ready'],
  ['a class not seen by its controller', object('c/v1', 'CClass', { observedGeneration: 1 }), 'waiting'],
  ['a class that is not ready', object('c/v1', 'CClass', condition('Ready', 'False')), 'waiting'],
  ['a class that is ready', object('c/v1', 'CClass', condition('Ready', 'True')), 'ready'],
  ['a class that is stalled', object('c/v1', 'CClass', condition('Stalled', 'True')), 'failed'],
  ['a class being reconciled', object('c/v1', 'CClass', condition('Reconciling', 'True')), 'waiting'],
  ['anything being deleted', object('c/v1', 'CClass', {}, { deletionTimestamp: 'x' }), 'waiting'],
])('%s is %s', (_what, given, state) => {
  expect(readinessOf(given).state).toBe(state);
});
