import { describe, expect, it } from 'vitest';
import type { KubernetesObject } from '../../../lib/core/object.ts';
import { createServiceAccountAccess } from '../../../lib/kube/access.ts';
import type { KubeClient } from '../../../lib/kube/client.ts';

/** A cluster that fills in the token after some looks. */
function cluster(looksNeeded: number) {
  const applied: KubernetesObject[] = [];
  let looks = 0;
  const encode = (text: string) => Buffer.from(text).toString('base64');
  const client = {
    apply: async (object: KubernetesObject) => {
      applied.push(object);
      return object;
    },
    get: async () =>
      ++looks < looksNeeded ? { data: {} } : { data: { token: encode('t0ken'), 'ca.crt': encode('PEM') } },
  } as unknown as KubeClient;
  return { client, applied };
}

describe('createServiceAccountAccess', () => {
  it('waits until the cluster has filled in the token', async () => {
    const { client } = cluster(3);
    const slept: number[] = [];
    const access = await createServiceAccountAccess(client, {
      namespace: 'slipway-system',
      name: 'slipway',
      sleep: async (ms) => {
        slept.push(ms);
      },
    });
    expect(access).toMatchObject({ token: 't0ken', caData: 'PEM' });
    expect(slept).toEqual([250, 250]);
  });

  it('says what is wrong when no token comes', async () => {
    const { client } = cluster(Number.POSITIVE_INFINITY);
    const access = createServiceAccountAccess(client, { namespace: 'a', name: 'b', sleep: async () => {} });
    await expect(access).rejects.toThrow(/Secret\/a\/b-token got no token within 30 s/);
  });

  it('makes the account before what refers to it, and binds it to the given rules alone', async () => {
    const { client, applied } = cluster(1);
    const rules = [{ nonResourceURLs: ['/metrics'], verbs: ['get'] }];
    const { rights } = await createServiceAccountAccess(client, { namespace: 'a', name: 'b', rules });
    expect(applied.map(({ kind }) => kind)).toEqual([
      'Namespace',
      'ServiceAccount',
      'ClusterRole',
      'ClusterRoleBinding',
      'Secret',
    ]);
    expect(applied[3]).toMatchObject({
      roleRef: { kind: 'ClusterRole', name: 'slipway:a:b' },
      subjects: [{ kind: 'ServiceAccount', namespace: 'a', name: 'b' }],
    });
    expect(rights).toEqual(['get: /metrics']);
  });
});
