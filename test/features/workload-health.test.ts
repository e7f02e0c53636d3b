import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { assessHealth } from '../../lib/apply/health/assess.ts';
import { newestPods } from '../../lib/apply/health/workload-pods.ts';
import type { KubernetesObject } from '../../lib/core/object.ts';
import { refOf } from '../../lib/core/object.ts';
import type { KubeClient } from '../../lib/kube/client.ts';
import { createKubeClient } from '../../lib/kube/rest.ts';
import { freshNamespace, useKubernetes } from '../support/cluster.ts';

const POD = { group: '', version: 'v1', kind: 'Pod' };
const mine = { fieldManager: 'kustomize-controller', force: true };
/** Long after anything in this file happened, so that a rollout counts as quiet. */
const LATER = Date.now() + 60_000;

let client: KubeClient;
let namespace: string;

beforeAll(async () => {
  client = createKubeClient(await useKubernetes());
  namespace = await freshNamespace('health');
});

afterAll(async () => {
  await client.close();
});

function deployment(image: string): KubernetesObject {
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name: 'app', namespace },
    spec: {
      replicas: 1,
      selector: { matchLabels: { app: 'app' }, matchExpressions: [{ key: 'app', operator: 'Exists' }] },
      template: { metadata: { labels: { app: 'app' } }, spec: { containers: [{ name: 'main', image }] } },
    },
  };
}

/** Nothing runs pods here, so their status is written by hand, as a kubelet would. */
async function setStatus(pod: KubernetesObject, status: object): Promise<void> {
  await client.patch(refOf(pod), 'merge', { status }, { subresource: 'status' });
}

async function health(): Promise<{ status: string; message: string } | undefined> {
  const [first] = await assessHealth(client, [refOf(deployment(''))], [], new Set(), LATER);
  return first;
}

/** Looks until the condition holds; the test's own time limit ends it. */
async function eventually<T>(look: () => Promise<T | undefined>): Promise<T> {
  for (;;) {
    const found = await look();
    if (found !== undefined) return found;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

/** The pods of the newest template, once its controller has made some. */
function podsOfNewest(): Promise<KubernetesObject[]> {
  return eventually(async () => {
    const live = await client.get(refOf(deployment('')));
    const pods = live ? await newestPods(client, live, LATER) : [];
    return pods.length > 0 ? pods : undefined;
  });
}

const crashing = {
  phase: 'Running',
  containerStatuses: [
    {
      name: 'main',
      image: 'a',
      imageID: '',
      ready: false,
      restartCount: 5,
      state: { waiting: { reason: 'CrashLoopBackOff' } },
    },
  ],
};

describe('a Deployment on a real cluster', () => {
  it('fails as soon as a pod of its newest template crashes again and again, and not for pods of older ones', async () => {
    await client.apply(deployment('one'), mine);
    const [first] = await podsOfNewest();
    expect(await health()).toMatchObject({ status: 'InProgress' });
    await setStatus(first as KubernetesObject, crashing);
    expect(await health()).toMatchObject({
      status: 'Failed',
      message: `pod ${first?.metadata.name}: containers that crash again and again: main`,
    });

    // The fix: the old pod still crashes while the new one comes up.
    await client.apply(deployment('two'), mine);
    const second = await eventually(async () => {
      const [newest] = await podsOfNewest();
      return newest?.metadata.name === first?.metadata.name ? undefined : newest;
    });
    expect((await client.list(POD, { namespace })).items).toHaveLength(2);
    expect(await health()).toMatchObject({ status: 'InProgress' });

    await setStatus(second, {
      phase: 'Running',
      conditions: [{ type: 'Ready', status: 'True', lastTransitionTime: '2026-01-01T00:00:00Z' }],
    });
    await eventually(async () => ((await health())?.status === 'Current' ? true : undefined));
  });

  it('is judged by its own status alone when its pods may not be read', async () => {
    const live = await client.get(refOf(deployment('')));
    expect(await newestPods(client, live as KubernetesObject, LATER)).toHaveLength(1);
    const stranger = client.as('nobody', []);
    expect(await newestPods(stranger, live as KubernetesObject, LATER)).toEqual([]);
  });
});
