import { describe, expect, it } from 'vitest';
import { compileHealthChecks, evaluateReady } from '../../../../lib/apply/health/expressions.ts';
import { ReconcileError } from '../../../../lib/core/errors.ts';
import type { KubernetesObject } from '../../../../lib/core/object.ts';

const secret = {
  apiVersion: 'bitnami.com/v1alpha1',
  kind: 'SealedSecret',
  current: "status.conditions.filter(e, e.type == 'Synced').all(e, e.status == 'True')",
  failed: "status.conditions.filter(e, e.type == 'Synced').all(e, e.status == 'False')",
};

function sealed(status?: object, metadata: object = {}): KubernetesObject {
  return {
    apiVersion: 'bitnami.com/v1alpha1',
    kind: 'SealedSecret',
    metadata: { name: 'x', namespace: 'apps', generation: 3, ...metadata },
    ...(status === undefined ? {} : { status }),
  };
}

const synced = (status: string) => ({
  observedGeneration: 3,
  conditions: [{ type: 'Synced', status }],
});

function errorOf(work: () => unknown): ReconcileError {
  try {
    work();
  } catch (error) {
    if (error instanceof ReconcileError) return error;
  }
  throw new Error('it should have thrown a ReconcileError');
}

describe('compileHealthChecks', () => {
  const health = compileHealthChecks([secret]);

  it.each([
    ['True', 'Current'],
    ['False', 'Failed'],
    ['Unknown', 'InProgress'],
  ])('judges a condition that is %s as %s', (status, expected) => {
    expect(health(sealed(synced(status)))?.status).toBe(expected);
  });

  it('leaves kinds without an entry to the built-in rules', () => {
    expect(health({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'x' } })).toBeUndefined();
  });

  it('says InProgress while the newest generation has not been observed', () => {
    expect(health(sealed({ ...synced('True'), observedGeneration: 2 }))?.status).toBe('InProgress');
  });

  it('says Unknown when an expression cannot be evaluated yet', () => {
    const judged = health(sealed());
    expect(judged?.status).toBe('Unknown');
    expect(judged?.message).toContain('status');
  });

  it('says Terminating of what is being deleted', () => {
    expect(health(sealed(synced('True'), { deletionTimestamp: '2026-11-01T00:00:00Z' }))?.status).toBe(
      'Terminating',
    );
  });

  it('asks inProgress before failed and current', () => {
    const all = compileHealthChecks([{ ...secret, inProgress: 'true', current: 'true', failed: 'true' }]);
    expect(all(sealed())?.status).toBe('InProgress');
  });

  it('takes an entry without a kind for the whole group, and a kind of its own before it', () => {
    const checks = compileHealthChecks([
      { ...secret, kind: undefined, current: 'false', failed: undefined },
      { ...secret, current: 'true', failed: undefined },
    ]);
    expect(checks(sealed())?.status).toBe('Current');
    expect(checks({ ...sealed(), kind: 'Other' })?.status).toBe('InProgress');
  });

  it('refuses two entries for one kind, and expressions that do not parse', () => {
    expect(
      errorOf(() => compileHealthChecks([secret, { ...secret, apiVersion: 'bitnami.com/v2' }])).message,
    ).toContain('two entries for SealedSecret');
    const broken = errorOf(() => compileHealthChecks([{ ...secret, current: 'status.' }]));
    expect(broken.reason).toBe('InvalidCELExpression');
    expect(broken.outcome).toBe('stall');
  });
});

describe('evaluateReady', () => {
  const object = (version: string): KubernetesObject => ({
    apiVersion: 'kustomize.toolkit.fluxcd.io/v1',
    kind: 'Kustomization',
    metadata: { name: 'x', generation: 4, labels: { version } },
    status: { observedGeneration: 4, conditions: [{ type: 'Ready', status: 'True' }] },
  });

  it('compares the dependency with the object that depends on it', () => {
    const expression = "dep.metadata.labels['version'] == self.metadata.labels['version']";
    expect(evaluateReady(expression, object('1'), object('1'))).toBe(true);
    expect(evaluateReady(expression, object('1'), object('2'))).toBe(false);
  });

  it('counts with integers', () => {
    const expression =
      "dep.status.observedGeneration + 1 == dep.metadata.generation + 1 && dep.status.conditions.exists(c, c.type == 'Ready' && c.status == 'True')";
    expect(evaluateReady(expression, object('1'), object('1'))).toBe(true);
  });

  it('stalls on an expression that names something else, or is not a yes or no', () => {
    expect(errorOf(() => evaluateReady('other.ready', object('1'), object('1')))).toMatchObject({
      reason: 'InvalidCELExpression',
      outcome: 'stall',
    });
    expect(errorOf(() => evaluateReady('1 + 1', object('1'), object('1'))).outcome).toBe('stall');
  });

  it('waits when a field does not exist yet', () => {
    expect(
      errorOf(() => evaluateReady('dep.status.inventory.size() > 0', object('1'), object('1'))).outcome,
    ).toBe('wait');
  });
});
