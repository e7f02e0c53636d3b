import { expect, test } from 'vitest';
import { failuresError } from '../../../lib/apply/failures.ts';
import { ReconcileError } from '../../../lib/core/errors.ts';
import type { KubernetesObject } from '../../../lib/core/object.ts';
import { KubeError } from '../../../lib/kube/errors.ts';

function configMap(name: string): KubernetesObject {
  return { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name, namespace: 'n' } };
}

const refusal = new KubeError(422, 'apply ConfigMap/n/a: bad', {
  status: { reason: 'Invalid', message: 'bad' },
});

test('every object is named with its reason, as Flux prints it', () => {
  const error = failuresError('ReconciliationFailed', 'dry-run failed', [
    { object: configMap('a'), error: refusal },
    { object: configMap('b'), error: new ReconcileError('X', 'ConfigMap/n/b namespace not specified') },
  ]);
  expect(error.message).toBe(
    'ConfigMap/n/a dry-run failed (Invalid): bad\nConfigMap/n/b namespace not specified',
  );
  expect(error).toMatchObject({ reason: 'ReconciliationFailed', outcome: 'retry' });
});

test('of many, all are named and the first are quoted', () => {
  const failures = Array.from({ length: 500 }, (_, index) => ({
    object: configMap(`c${index}`),
    error: refusal,
  }));
  const { message } = failuresError('ReconciliationFailed', 'dry-run failed', failures);
  expect(message).toContain('and 480 more: ');
  expect(message).toContain('ConfigMap/n/c499');
  expect(message.split('\n')).toHaveLength(21);
});

test('the longest wait that a server asked for is kept', () => {
  const busy = new KubeError(429, 'busy', { retryAfter: 7_000 });
  const error = failuresError('ReconciliationFailed', 'apply failed', [
    { object: configMap('a'), error: busy },
    { object: configMap('b'), error: refusal },
  ]);
  expect(error.retryAfter).toBe(7_000);
});

test('values of a Secret are removed, in both spellings', () => {
  const secret: KubernetesObject = {
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: { name: 's', namespace: 'n' },
    data: { a: Buffer.from('canary-value').toString('base64') },
  };
  const message = `"canary-value" and ${Buffer.from('canary-value').toString('base64')}`;
  const error = failuresError('ReconciliationFailed', 'apply failed', [
    { object: secret, error: new KubeError(422, message, {}) },
  ]);
  expect(error.message).not.toMatch(/canary|Y2FuYXJ5/);
});
