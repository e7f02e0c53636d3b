import { describe, expect, it } from 'vitest';
import { newestPods, selectorOf } from '../../../../lib/apply/health/workload-pods.ts';
import type { KubernetesObject } from '../../../../lib/core/object.ts';
import type { KubeClient, ListOptions } from '../../../../lib/kube/client.ts';

const NOW = Date.parse('2026-11-01T12:00:00Z');

function workload(
  kind: string,
  status: object,
  selector: object = { matchLabels: { app: 'x' } },
): KubernetesObject {
  return {
    apiVersion: 'apps/v1',
    kind,
    metadata: { name: 'x', namespace: 'apps', generation: 1 },
    spec: { selector },
    status: { observedGeneration: 1, ...status },
  };
}

/** A client that remembers with which selector pods were listed. */
function listing() {
  const asked: (string | undefined)[] = [];
  const client = {
    list: async (_gvk: unknown, options: ListOptions) => {
      asked.push(options.labelSelector);
      return { items: [], resourceVersion: '1' };
    },
  } as unknown as KubeClient;
  return { asked, client };
}

describe('selectorOf', () => {
  it('writes every operator as the API reads it', () => {
    const selector = {
      matchLabels: { app: 'x', tier: 'web' },
      matchExpressions: [
        { key: 'a', operator: 'In', values: ['1', '2'] },
        { key: 'b', operator: 'NotIn', values: ['3'] },
        { key: 'c', operator: 'Exists' },
        { key: 'd', operator: 'DoesNotExist' },
      ],
    };
    expect(selectorOf(workload('Deployment', {}, selector))).toBe(
      'app=x,tier=web,a in (1,2),b notin (3),c,!d',
    );
  });

  it('selects nothing rather than too much when it does not understand an operator', () => {
    const selector = {
      matchLabels: { app: 'x' },
      matchExpressions: [{ key: 'a', operator: 'Gt', values: ['1'] }],
    };
    expect(selectorOf(workload('Deployment', {}, selector))).toBe('');
  });
});

describe('newestPods', () => {
  it('asks for the pods of the newest revision of a StatefulSet', async () => {
    const { asked, client } = listing();
    await newestPods(client, workload('StatefulSet', { updateRevision: 'x-2' }), NOW);
    expect(asked).toEqual(['app=x,controller-revision-hash=x-2']);
  });

  it('asks nothing while the newest generation has not been observed or the rollout goes on', async () => {
    const { asked, client } = listing();
    await newestPods(client, workload('ReplicaSet', { observedGeneration: 0 }), NOW);
    const conditions = [{ type: 'Progressing', status: 'True', lastUpdateTime: '2026-11-01T11:59:55Z' }];
    await newestPods(client, workload('Deployment', { conditions }), NOW);
    expect(asked).toEqual([]);
    await newestPods(client, workload('ReplicaSet', {}), NOW);
    expect(asked).toEqual(['app=x']);
  });
});
