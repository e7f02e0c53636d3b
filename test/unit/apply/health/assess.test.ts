import { describe, expect, it } from 'vitest';
import { assessHealth, vanishingOf } from '../../../../lib/apply/health/assess.ts';
import { identityOf, type KubernetesObject, refOf } from '../../../../lib/core/object.ts';
import type { KubeClient } from '../../../../lib/kube/client.ts';

function object(apiVersion: string, kind: string, name: string, rest: object = {}): KubernetesObject {
  return { apiVersion, kind, metadata: { name, namespace: 'apps' }, ...rest };
}

function clusterWith(...objects: KubernetesObject[]): KubeClient {
  const byIdentity = new Map(objects.map((one) => [identityOf(refOf(one)), one]));
  return {
    get: async (ref: Parameters<typeof identityOf>[0]) => byIdentity.get(identityOf(ref)),
  } as unknown as KubeClient;
}

describe('assessHealth', () => {
  const settings = object('v1', 'ConfigMap', 'settings');
  const thing = object('example.com/v1', 'Thing', 'thing', { status: { phase: 'Broken' } });
  const job = object('batch/v1', 'Job', 'migrate', { spec: { ttlSecondsAfterFinished: 60 } });

  it('judges each object, in the order of the references', async () => {
    const refs = [thing, settings, object('v1', 'ConfigMap', 'gone')].map(refOf);
    const results = await assessHealth(clusterWith(settings, thing), refs, [], new Set(), 0);
    expect(results.map(({ ref, status }) => `${ref.name} ${status}`)).toEqual([
      'thing Current',
      'settings Current',
      'gone NotFound',
    ]);
  });

  it('prefers the expressions for a kind to the built-in rules', async () => {
    const expressions = [
      { apiVersion: 'example.com/v1', kind: 'Thing', current: 'false', failed: "status.phase == 'Broken'" },
    ];
    const [result] = await assessHealth(clusterWith(thing), [refOf(thing)], expressions, new Set(), 0);
    expect(result?.status).toBe('Failed');
  });

  it('takes a Job with a TTL that is gone as done', async () => {
    const vanishing = vanishingOf([settings, job], [settings, job].map(refOf));
    expect(vanishing).toEqual(['batch/Job/apps/migrate']);
    const [result] = await assessHealth(clusterWith(), [refOf(job)], [], new Set(vanishing), 0);
    expect(result?.status).toBe('Current');
  });
});
