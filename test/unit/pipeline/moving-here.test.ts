import { expect, test } from 'vitest';
import type { ObjectRef } from '../../../lib/core/object.ts';
import type { KubeClient } from '../../../lib/kube/client.ts';
import { KubeError } from '../../../lib/kube/errors.ts';
import { movingHere } from '../../../lib/pipeline/moving-here.ts';
import type { Run } from '../../../lib/pipeline/run.ts';
import type { Kustomization } from '../../../lib/toolkit/kustomization.ts';

const GROUP = 'kustomize.toolkit.fluxcd.io';
const entryOf = (name: string) => ({ id: `apps_${name}__ConfigMap`, v: 'v1' });

/** Which of these the Kustomization `app` keeps in its inventory while `base` holds some; what stands in the cluster decides, too. */
async function kept(names: string[], held: string[], { spec = {}, code = 0 } = {}): Promise<string[]> {
  const base = {
    kind: 'Kustomization',
    metadata: { name: 'base', namespace: 'apps' },
    spec,
    status: { inventory: { entries: held.map(entryOf) } },
  };
  const own = { ...base, metadata: { name: 'app', namespace: 'apps' }, spec: {}, status: {} };
  const run = {
    client: { list: async () => ({ items: [base, own] }) },
    ref: { group: GROUP, kind: 'Kustomization', namespace: 'apps', name: 'app' },
  } as unknown as Run;
  const client = {
    resource: async () => ({}),
    async getMetadata({ name }: ObjectRef) {
      if (code !== 0) throw new KubeError(code, 'refused');
      return name === 'gone' ? undefined : {};
    },
  } as unknown as KubeClient;
  const found = await movingHere(run, own as unknown as Kustomization, client, names.map(entryOf));
  return found.map(({ id }) => id.split('_')[1] ?? '');
}

test('an object that another Kustomization holds is moving here, whether or not it was come to', async () => {
  expect(await kept(['moved', 'new'], ['moved', 'other'])).toEqual(['moved']);
});

test('what is gone already, or stands in another cluster, moves nowhere', async () => {
  expect(await kept(['gone'], ['gone'])).toEqual([]);
  expect(await kept(['moved'], ['moved'], { spec: { kubeConfig: {} } })).toEqual([]);
});

test('what may not be looked at is left out, since it could never be deleted; where that is not known it stays', async () => {
  expect(await kept(['moved'], ['moved'], { code: 403 })).toEqual([]);
  expect(await kept(['moved'], ['moved'], { code: 500 })).toEqual(['moved']);
});
