import { expect, test } from 'vitest';
import { takenOver } from '../../../lib/apply/taken-over.ts';
import type { KubeClient } from '../../../lib/kube/client.ts';
import { KubeError } from '../../../lib/kube/errors.ts';

const GROUP = 'kustomize.toolkit.fluxcd.io';

function entry(name: string) {
  return { id: `apps_${name}__ConfigMap`, v: 'v1' };
}

test('an object is taken over when its labels name another owner, or it is gone and one that is being deleted holds it', async () => {
  const labels: Record<string, Record<string, string> | undefined> = {
    own: { [`${GROUP}/name`]: 'base', [`${GROUP}/namespace`]: 'apps' },
    others: { [`${GROUP}/name`]: 'app', [`${GROUP}/namespace`]: 'apps' },
    bare: {},
  };
  const client = {
    resource: async () => ({}),
    getMetadata: async ({ name }: { name: string }) => {
      if (name === 'secret') throw new KubeError(403, 'not allowed');
      return labels[name] && { metadata: { name, labels: labels[name] } };
    },
  } as unknown as KubeClient;
  const entries = ['own', 'others', 'bare', 'gone', 'left', 'secret'].map(entry);
  const owner = { group: GROUP, name: 'base', namespace: 'apps' } as Parameters<typeof takenOver>[2]['owner'];
  const { signal } = new AbortController();
  const heldByLeaving = ({ name }: { name: string }) => ['own', 'bare', 'left', 'secret'].includes(name);
  expect(await takenOver(client, entries, { owner, concurrency: 2, signal, heldByLeaving })).toEqual(
    ['others', 'left'].map(entry),
  );
});
