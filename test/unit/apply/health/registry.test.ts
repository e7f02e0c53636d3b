import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { healthOf, healthOfMissing } from '../../../../lib/apply/health/registry.ts';
import type { KubernetesObject } from '../../../../lib/core/object.ts';

const NOW = Date.parse('2026-11-01T12:00:00Z');

function object(apiVersion: string, kind: string, rest: Record<string, unknown> = {}): KubernetesObject {
  const { metadata, ...others } = rest;
  return {
    apiVersion,
    kind,
    metadata: { name: 'x', namespace: 'apps', generation: 2, ...(metadata as object | undefined) },
    ...others,
  };
}

function condition(type: string, status: string, reason = 'Because', message = '') {
  return { type, status, reason, message, lastTransitionTime: '2026-11-01T11:00:00Z' };
}

function deployment(spec: object, status: object, conditions?: object[]): KubernetesObject {
  const usual = [
    condition('Available', 'True', 'MinimumReplicasAvailable'),
    condition('Progressing', 'True', 'NewReplicaSetAvailable'),
  ];
  return object('apps/v1', 'Deployment', {
    spec: { replicas: 2, progressDeadlineSeconds: 600, ...spec },
    status: { observedGeneration: 2, conditions: conditions ?? usual, ...status },
  });
}

const FULL = { replicas: 2, updatedReplicas: 2, readyReplicas: 2, availableReplicas: 2 };

describe('healthOf', () => {
  it('says Terminating of anything that is being deleted', () => {
    const terminating = object('v1', 'ConfigMap', {
      metadata: { deletionTimestamp: '2026-11-01T11:59:00Z' },
    });
    expect(healthOf(terminating).status).toBe('Terminating');
  });

  it('says InProgress while the newest generation has not been observed, whatever the conditions say', () => {
    const stale = deployment({}, { ...FULL, observedGeneration: 1 });
    expect(healthOf(stale)).toEqual({
      status: 'InProgress',
      message: 'generation 2 has not been observed yet, only 1',
    });
  });

  it('obeys Reconciling and Stalled of any kind', () => {
    const reconciling = object('example.com/v1', 'Thing', {
      status: {
        conditions: [condition('Ready', 'True'), condition('Reconciling', 'True', 'Busy', 'working')],
      },
    });
    const stalled = object('example.com/v1', 'Thing', {
      status: { conditions: [condition('Stalled', 'True', 'Bad', 'the spec is wrong')] },
    });
    expect(healthOf(reconciling)).toEqual({ status: 'InProgress', message: 'working' });
    expect(healthOf(stalled)).toEqual({ status: 'Failed', message: 'the spec is wrong' });
  });

  it.each([
    ['True', 'Current'],
    ['False', 'InProgress'],
    ['Unknown', 'InProgress'],
  ])('takes a Ready condition that is %s as %s for kinds without a rule', (status, expected) => {
    const thing = object('example.com/v1', 'Thing', { status: { conditions: [condition('Ready', status)] } });
    expect(healthOf(thing).status).toBe(expected);
  });

  it('takes kinds without a rule, status or conditions as current', () => {
    expect(healthOf(object('example.com/v1', 'Thing')).status).toBe('Current');
    expect(healthOf(object('v1', 'Namespace', { status: { phase: 'Active' } })).status).toBe('Current');
    expect(healthOf(object('batch/v1', 'CronJob')).status).toBe('Current');
  });

  it('takes neither keys of prototypes nor broken conditions for something', () => {
    const odd = object('example.com/v1', 'Thing', { status: { conditions: [null, 'x', { type: 7 }] } });
    expect(healthOf(odd).status).toBe('Current');
    expect(healthOf({ ...odd, apiVersion: '__proto__/v1', kind: 'constructor' }).status).toBe('Current');
  });

  it('never throws, whatever the status holds', () => {
    const kinds = [
      'apps/v1 Deployment',
      'v1 Pod',
      'batch/v1 Job',
      'apps/v1 StatefulSet',
      'apps/v1 DaemonSet',
    ];
    fc.assert(
      fc.property(fc.constantFrom(...kinds), fc.jsonValue(), fc.jsonValue(), (kind, spec, status) => {
        const [apiVersion = '', name = ''] = kind.split(' ');
        expect(healthOf(object(apiVersion, name, { spec, status }), NOW).message).not.toBe('');
      }),
    );
  });
});

describe('Deployment', () => {
  it('is current when all replicas are updated and available', () => {
    expect(healthOf(deployment({}, FULL)).status).toBe('Current');
  });

  it.each([
    ['too few replicas', { replicas: 1 }, 'replicas: 1/2'],
    ['not updated', { updatedReplicas: 1 }, 'updated: 1/2'],
    ['old pods left', { replicas: 3 }, 'old replicas still to end: 1'],
    ['not available', { availableReplicas: 1 }, 'available: 1/2'],
    ['not ready', { readyReplicas: 0 }, 'ready: 0/2'],
  ])('is in progress with %s', (_what, status, message) => {
    expect(healthOf(deployment({}, { ...FULL, ...status }))).toEqual({ status: 'InProgress', message });
  });

  it('fails when its deadline has passed', () => {
    const late = deployment({}, { ...FULL, updatedReplicas: 1 }, [
      condition(
        'Progressing',
        'False',
        'ProgressDeadlineExceeded',
        'ReplicaSet "x-1" has timed out progressing.',
      ),
    ]);
    expect(healthOf(late).status).toBe('Failed');
  });

  it('is current when scaled to zero and its controller has said so', () => {
    expect(healthOf(deployment({ replicas: 0 }, {})).status).toBe('Current');
  });

  it('is in progress right after it was made, also with zero replicas', () => {
    expect(healthOf(object('apps/v1', 'Deployment', { spec: { progressDeadlineSeconds: 600 } })).status).toBe(
      'InProgress',
    );
    const zero = object('apps/v1', 'Deployment', { spec: { replicas: 0, progressDeadlineSeconds: 600 } });
    expect(healthOf(zero).status).toBe('InProgress');
  });

  it('needs no Progressing condition without a deadline', () => {
    const available = [condition('Available', 'True')];
    expect(healthOf(deployment({ progressDeadlineSeconds: 2_147_483_647 }, FULL, available)).status).toBe(
      'Current',
    );
    expect(healthOf(deployment({}, FULL, available)).status).toBe('InProgress');
  });

  it('is in progress while it is not available', () => {
    const rolledOut = [
      condition('Progressing', 'True', 'NewReplicaSetAvailable'),
      condition('Available', 'False'),
    ];
    expect(healthOf(deployment({}, FULL, rolledOut)).status).toBe('InProgress');
  });
});

describe('StatefulSet', () => {
  const whole = {
    observedGeneration: 2,
    replicas: 3,
    readyReplicas: 3,
    currentReplicas: 3,
    updatedReplicas: 3,
    currentRevision: 'x-1',
    updateRevision: 'x-1',
  };
  const set = (status: object, spec: object = {}) =>
    healthOf(
      object('apps/v1', 'StatefulSet', { spec: { replicas: 3, ...spec }, status: { ...whole, ...status } }),
    );

  it('is current when all replicas are ready at one revision', () => {
    expect(set({}).status).toBe('Current');
  });

  it.each([
    [{ replicas: 2 }, 'replicas: 2/3'],
    [{ readyReplicas: 2 }, 'ready: 2/3'],
    [{ replicas: 4 }, 'replicas still to end: 1'],
    [{ currentReplicas: 2 }, 'at the current revision: 2/3'],
    [{ updateRevision: 'x-2' }, 'its newest revision is not the current one yet'],
  ])('is in progress with %j', (status, message) => {
    expect(set(status)).toEqual({ status: 'InProgress', message });
  });

  it('waits for the replicas above its partition alone', () => {
    const partition = { updateStrategy: { type: 'RollingUpdate', rollingUpdate: { partition: 2 } } };
    expect(set({ updatedReplicas: 1, updateRevision: 'x-2' }, partition).status).toBe('Current');
    expect(set({ updatedReplicas: 0, updateRevision: 'x-2' }, partition)).toEqual({
      status: 'InProgress',
      message: 'updated: 0/1',
    });
  });

  it('is current at once when pods are replaced by hand', () => {
    expect(set({ readyReplicas: 0 }, { updateStrategy: { type: 'OnDelete' } }).status).toBe('Current');
  });
});

describe('DaemonSet', () => {
  const whole = {
    observedGeneration: 2,
    desiredNumberScheduled: 2,
    currentNumberScheduled: 2,
    updatedNumberScheduled: 2,
    numberAvailable: 2,
    numberReady: 2,
  };
  const set = (status: object) => healthOf(object('apps/v1', 'DaemonSet', { status }));

  it('is current when its pods are ready on all nodes, or there is no node', () => {
    expect(set(whole).status).toBe('Current');
    expect(set({ observedGeneration: 2, desiredNumberScheduled: 0 }).status).toBe('Current');
  });

  it.each(['currentNumberScheduled', 'updatedNumberScheduled', 'numberAvailable', 'numberReady'])(
    'is in progress with too small a %s',
    (field) => {
      expect(set({ ...whole, [field]: 1 }).status).toBe('InProgress');
    },
  );

  it('is in progress until its controller has written a generation and a number', () => {
    expect(set({}).status).toBe('InProgress');
    expect(set({ observedGeneration: 2 }).status).toBe('InProgress');
  });
});

describe('ReplicaSet', () => {
  const whole = {
    observedGeneration: 2,
    replicas: 1,
    fullyLabeledReplicas: 1,
    availableReplicas: 1,
    readyReplicas: 1,
  };
  const set = (status: object) =>
    healthOf(object('apps/v1', 'ReplicaSet', { status: { ...whole, ...status } }));

  it('is current when all replicas are available', () => {
    expect(set({}).status).toBe('Current');
  });

  it('is in progress when pods are missing, too many or cannot be made', () => {
    expect(set({ availableReplicas: 0 }).message).toBe('available: 0/1');
    expect(set({ replicas: 2 }).message).toBe('replicas still to end: 1');
    const quota = condition('ReplicaFailure', 'True', 'FailedCreate', 'exceeded quota');
    expect(set({ conditions: [quota] })).toEqual({
      status: 'InProgress',
      message: 'pods cannot be made: exceeded quota',
    });
  });
});

describe('Job', () => {
  const job = (status: object, spec: object = {}) => healthOf(object('batch/v1', 'Job', { spec, status }));
  const started = { startTime: '2026-11-01T11:00:00Z' };

  it('is in progress until it has completed', () => {
    expect(job({})).toEqual({ status: 'InProgress', message: 'not started' });
    expect(job({ ...started, active: 1 }).status).toBe('InProgress');
    expect(job({ ...started, succeeded: 1, conditions: [condition('Complete', 'True')] }).status).toBe(
      'Current',
    );
  });

  it('fails with its Failed condition', () => {
    const dead = [
      condition('Failed', 'True', 'BackoffLimitExceeded', 'Job has reached the specified backoff limit'),
    ];
    expect(job({ ...started, failed: 1, conditions: dead })).toEqual({
      status: 'Failed',
      message: 'failed 1/1: BackoffLimitExceeded: Job has reached the specified backoff limit',
    });
  });

  it('is current while it is suspended', () => {
    expect(job({}, { suspend: true }).status).toBe('Current');
  });

  it('counts as done when it is gone and has a TTL, and as not found otherwise', () => {
    const withTtl = object('batch/v1', 'Job', { spec: { ttlSecondsAfterFinished: 0 } });
    expect(healthOfMissing(withTtl).status).toBe('Current');
    expect(healthOfMissing(object('batch/v1', 'Job', { spec: {} })).status).toBe('NotFound');
    expect(healthOfMissing(object('v1', 'ConfigMap')).status).toBe('NotFound');
  });
});

describe('Pod', () => {
  const pod = (status: object, created = '2026-11-01T11:00:00Z') =>
    healthOf(object('v1', 'Pod', { metadata: { creationTimestamp: created }, status }), NOW);

  it.each([
    [{ phase: 'Succeeded' }, 'Current'],
    [{ phase: 'Failed' }, 'Current'],
    [{ phase: 'Running', conditions: [condition('Ready', 'True')] }, 'Current'],
    [{ phase: 'Running', conditions: [condition('Ready', 'False')] }, 'InProgress'],
    [{ phase: 'Pending' }, 'InProgress'],
    [{}, 'InProgress'],
    [{ phase: 'Unknown' }, 'Unknown'],
  ])('with %j is %s', (status, expected) => {
    expect(pod(status).status).toBe(expected);
  });

  it('fails when a container crashes again and again', () => {
    const containerStatuses = [
      { name: 'ok', state: { running: {} } },
      { name: 'app', state: { waiting: { reason: 'CrashLoopBackOff' } } },
    ];
    expect(pod({ phase: 'Running', containerStatuses })).toEqual({
      status: 'Failed',
      message: 'containers that crash again and again: app',
    });
  });

  it('fails when no node takes it, but not in its first 15 seconds', () => {
    const status = {
      phase: 'Pending',
      conditions: [condition('PodScheduled', 'False', 'Unschedulable', 'no cpu')],
    };
    expect(pod(status).status).toBe('Failed');
    expect(pod(status, '2026-11-01T11:59:50Z').status).toBe('InProgress');
  });
});

describe('other built-in kinds', () => {
  it('takes a claim as current when it is bound', () => {
    const claim = (phase: string) =>
      healthOf(object('v1', 'PersistentVolumeClaim', { status: { phase } })).status;
    expect([claim('Bound'), claim('Pending'), claim('Lost')]).toEqual([
      'Current',
      'InProgress',
      'InProgress',
    ]);
  });

  it('waits for the cluster address of a LoadBalancer, not for the balancer', () => {
    const service = (spec: object) => healthOf(object('v1', 'Service', { spec })).status;
    expect(service({ type: 'LoadBalancer' })).toBe('InProgress');
    expect(service({ type: 'LoadBalancer', clusterIP: '10.0.0.1' })).toBe('Current');
    expect(service({ type: 'ExternalName' })).toBe('Current');
  });

  it('takes a CRD as current when it is established, and as failed when its names are taken', () => {
    const crd = (...conditions: object[]) =>
      healthOf(object('apiextensions.k8s.io/v1', 'CustomResourceDefinition', { status: { conditions } }));
    const accepted = condition('NamesAccepted', 'True', 'NoConflicts');
    expect(crd().status).toBe('InProgress');
    expect(crd(accepted, condition('Established', 'False', 'Installing')).status).toBe('InProgress');
    expect(crd(accepted, condition('Established', 'True')).status).toBe('Current');
    expect(crd(condition('NamesAccepted', 'False', 'PluralConflict', '"a" is taken'))).toEqual({
      status: 'Failed',
      message: 'its names are not accepted: "a" is taken',
    });
  });

  it('takes an APIService as current when the server behind it answers', () => {
    const service = (...conditions: object[]) =>
      healthOf(object('apiregistration.k8s.io/v1', 'APIService', { status: { conditions } })).status;
    expect(service(condition('Available', 'True', 'Passed'))).toBe('Current');
    expect(service(condition('Available', 'False', 'MissingEndpoints'))).toBe('InProgress');
  });

  it('takes a budget as current once it has been observed', () => {
    const budget = (observedGeneration: number) =>
      healthOf(object('policy/v1', 'PodDisruptionBudget', { status: { observedGeneration } })).status;
    expect([budget(1), budget(2)]).toEqual(['InProgress', 'Current']);
  });
});

describe('Toolkit objects', () => {
  const kustomization = (status?: object) =>
    healthOf(
      object('kustomize.toolkit.fluxcd.io/v1', 'Kustomization', status === undefined ? {} : { status }),
    );

  it('are in progress until somebody has looked at them', () => {
    expect(kustomization().status).toBe('InProgress');
    expect(kustomization({ observedGeneration: -1 }).status).toBe('InProgress');
  });

  it('are current only when they are Ready at their newest generation', () => {
    const ready = [condition('Ready', 'True', 'ReconciliationSucceeded', 'Applied revision: main@sha1:1')];
    expect(kustomization({ observedGeneration: 2, conditions: ready })).toEqual({
      status: 'Current',
      message: 'Applied revision: main@sha1:1',
    });
    expect(kustomization({ observedGeneration: 1, conditions: ready }).status).toBe('InProgress');
    expect(kustomization({ conditions: ready }).status).toBe('InProgress');
    expect(kustomization({ conditions: [{ ...ready[0], observedGeneration: 2 }] }).status).toBe('Current');
  });

  it('are in progress when they are not Ready, and failed when they are stalled', () => {
    const broken = condition('Ready', 'False', 'BuildFailed', 'no such file');
    expect(kustomization({ observedGeneration: 2, conditions: [broken] })).toEqual({
      status: 'InProgress',
      message: 'no such file',
    });
    const stalled = condition('Stalled', 'True', 'InvalidPath', 'no such path');
    expect(kustomization({ observedGeneration: 2, conditions: [broken, stalled] }).status).toBe('Failed');
  });

  it('that only hold settings are current', () => {
    const notification = 'notification.toolkit.fluxcd.io/v1beta3';
    expect(healthOf(object(notification, 'Provider')).status).toBe('Current');
    const repository = (type?: string) =>
      healthOf(object('source.toolkit.fluxcd.io/v1', 'HelmRepository', { spec: { type } })).status;
    expect([repository('oci'), repository()]).toEqual(['Current', 'InProgress']);
  });
});
