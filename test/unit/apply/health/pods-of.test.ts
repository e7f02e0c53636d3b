import { describe, expect, it } from 'vitest';
import { inProgress } from '../../../../lib/apply/health/health.ts';
import { healthWithPods, podsTellMore } from '../../../../lib/apply/health/pods-of.ts';
import type { KubernetesObject } from '../../../../lib/core/object.ts';

const NOW = Date.parse('2026-11-01T12:00:00Z');
const waiting = inProgress('available: 0/1');

function pod(name: string, status: object, metadata: object = {}): KubernetesObject {
  return { apiVersion: 'v1', kind: 'Pod', metadata: { name, namespace: 'apps', ...metadata }, status };
}

const crashing = {
  phase: 'Running',
  containerStatuses: [{ name: 'app', state: { waiting: { reason: 'CrashLoopBackOff' } } }],
};

describe('healthWithPods', () => {
  it('fails a workload in progress when one of its pods has failed', () => {
    expect(healthWithPods(waiting, [pod('a', { phase: 'Running' }), pod('b', crashing)], NOW)).toEqual({
      status: 'Failed',
      message: 'pod b: containers that crash again and again: app',
    });
  });

  it('does not count pods that are being deleted or that wait for a node', () => {
    const unschedulable = {
      phase: 'Pending',
      conditions: [{ type: 'PodScheduled', status: 'False', reason: 'Unschedulable' }],
    };
    const pods = [
      pod('old', crashing, { deletionTimestamp: '2026-11-01T11:59:00Z' }),
      pod('new', unschedulable, { creationTimestamp: '2026-11-01T11:00:00Z' }),
    ];
    expect(healthWithPods(waiting, pods, NOW)).toBe(waiting);
  });

  it('changes nothing for a workload that is current', () => {
    const current = { status: 'Current', message: 'ready' } as const;
    expect(healthWithPods(current, [pod('a', crashing)], NOW)).toBe(current);
  });
});

describe('podsTellMore', () => {
  it('holds for workloads in progress alone', () => {
    const object = (kind: string) => ({ apiVersion: 'apps/v1', kind, metadata: { name: 'x' } });
    expect(podsTellMore(object('Deployment'), waiting)).toBe(true);
    expect(podsTellMore(object('DaemonSet'), waiting)).toBe(false);
    expect(podsTellMore(object('Deployment'), { status: 'Current', message: '' })).toBe(false);
  });
});
