import { describe, expect, test } from 'vitest';
import { driftedOf } from '../../lib/apply/drift.ts';
import type { KubernetesObject, ObjectRef } from '../../lib/core/object.ts';
import { identityOf, refOf } from '../../lib/core/object.ts';
import {
  Applier,
  actions,
  clientOf,
  configMap,
  deployment,
  MANAGER,
  OWNER,
  versions,
} from '../support/apply.ts';
import { freshNamespace, useKubernetes } from '../support/cluster.ts';

const client = clientOf(await useKubernetes());

/** What an edit gets to work with: a Deployment, a ConfigMap, a Secret and a Service as they were applied. */
interface Applied {
  namespace: string;
  web: KubernetesObject;
  config: KubernetesObject;
  secret: KubernetesObject;
  service: KubernetesObject;
}

const LAST_APPLIED = 'kubectl.kubernetes.io/last-applied-configuration';
const NAMES = ['web', 'config', 'secret', 'service'] as const;

function manifests(namespace: string): Applied {
  return {
    namespace,
    web: deployment(namespace, 'web'),
    config: configMap(namespace, 'config', { a: '1', b: '2' }),
    secret: {
      apiVersion: 'v1',
      kind: 'Secret',
      metadata: { name: 'secret', namespace },
      stringData: { password: 'hunter2' },
    },
    service: {
      apiVersion: 'v1',
      kind: 'Service',
      metadata: { name: 'service', namespace },
      spec: { selector: { app: 'web' }, ports: [{ name: 'http', port: 80 }] },
    },
  };
}

/** All that matters of an object: neither who owns which field nor what the server counts. */
async function stateOf(ref: ObjectRef): Promise<unknown> {
  const live = await client.get<KubernetesObject>(ref);
  if (!live) return undefined;
  const { metadata, status: _status, ...body } = live;
  const { labels, annotations, finalizers } = metadata;
  const stable = Object.entries(annotations ?? {}).filter(
    ([key]) => key !== 'deployment.kubernetes.io/revision',
  );
  const spec = structuredClone(body) as { spec?: { clusterIP?: string; clusterIPs?: string[] } };
  delete spec.spec?.clusterIP;
  delete spec.spec?.clusterIPs;
  return { ...spec, labels, annotations: Object.fromEntries(stable), finalizers };
}

function kubectl(object: KubernetesObject, type: 'merge' | 'strategic', body: unknown, fieldManager: string) {
  return client.patch(refOf(object), type, body, { fieldManager });
}

async function replace(
  object: KubernetesObject,
  change: (live: KubernetesObject) => void,
  fieldManager: string,
) {
  for (;;) {
    const live = await client.get<KubernetesObject>(refOf(object));
    if (!live) throw new Error('it is gone');
    change(live);
    try {
      return await client.update(live, { fieldManager });
    } catch (error) {
      if (!String(error).includes('the object has been modified')) throw error;
    }
  }
}

/** A part of an object, for another manager to apply. */
function part(
  object: KubernetesObject,
  more: Record<string, unknown>,
  metadata: Record<string, unknown> = {},
) {
  const { name, namespace } = object.metadata;
  return {
    apiVersion: object.apiVersion,
    kind: object.kind,
    metadata: { name, ...(namespace ? { namespace } : {}), ...metadata },
    ...more,
  } as KubernetesObject;
}

const container = (more: Record<string, unknown>) => ({
  spec: { template: { spec: { containers: [{ name: 'main', ...more }] } } },
});

interface Edit {
  name: string;
  edit(applied: Applied): Promise<unknown>;
  /** Corrected: back to what it was; kept: the edit stays and nothing is written. */
  outcome: 'corrected' | 'kept';
  /** The object that was edited. */
  on: (typeof NAMES)[number];
}

const edits: Edit[] = [
  {
    name: 'kubectl edit changes an image',
    on: 'web',
    outcome: 'corrected',
    edit: ({ web }) => kubectl(web, 'strategic', container({ image: 'nginx:evil' }), 'kubectl-edit'),
  },
  {
    name: 'kubectl edit adds an environment variable',
    on: 'web',
    outcome: 'corrected',
    edit: ({ web }) =>
      kubectl(web, 'strategic', container({ env: [{ name: 'DEBUG', value: '1' }] }), 'kubectl-edit'),
  },
  {
    name: 'kubectl edit adds a field that the manifest does not have',
    on: 'web',
    outcome: 'corrected',
    edit: ({ web }) => kubectl(web, 'strategic', { spec: { revisionHistoryLimit: 3 } }, 'kubectl-edit'),
  },
  {
    name: 'kubectl edit removes a label',
    on: 'web',
    outcome: 'corrected',
    edit: ({ web }) => kubectl(web, 'strategic', { metadata: { labels: { app: null } } }, 'kubectl-edit'),
  },
  {
    name: 'kubectl scale',
    on: 'web',
    outcome: 'corrected',
    edit: ({ web }) =>
      client.patch(
        refOf(web),
        'merge',
        { spec: { replicas: 7 } },
        { subresource: 'scale', fieldManager: 'kubectl' },
      ),
  },
  {
    name: 'kubectl set image',
    on: 'web',
    outcome: 'corrected',
    edit: ({ web }) => kubectl(web, 'strategic', container({ image: 'nginx:1.99' }), 'kubectl-set'),
  },
  {
    name: 'kubectl set env',
    on: 'web',
    outcome: 'corrected',
    edit: ({ web }) =>
      kubectl(web, 'strategic', container({ env: [{ name: 'MODE', value: 'debug' }] }), 'kubectl-set'),
  },
  {
    name: 'kubectl set resources',
    on: 'web',
    outcome: 'corrected',
    edit: ({ web }) =>
      kubectl(
        web,
        'strategic',
        container({ resources: { limits: { memory: '1Gi', cpu: '2' } } }),
        'kubectl-set',
      ),
  },
  {
    name: 'kubectl rollout restart',
    on: 'web',
    outcome: 'corrected',
    edit: ({ web }) => {
      const annotations = { 'kubectl.kubernetes.io/restartedAt': '2026-01-01T00:00:00Z' };
      return kubectl(
        web,
        'strategic',
        { spec: { template: { metadata: { annotations } } } },
        'kubectl-rollout',
      );
    },
  },
  {
    name: 'kubectl rollout pause',
    on: 'web',
    outcome: 'corrected',
    edit: ({ web }) => kubectl(web, 'strategic', { spec: { paused: true } }, 'kubectl-rollout'),
  },
  {
    name: 'kubectl label',
    on: 'config',
    outcome: 'corrected',
    edit: ({ config }) =>
      kubectl(config, 'merge', { metadata: { labels: { mine: 'yes' } } }, 'kubectl-label'),
  },
  {
    name: 'kubectl label takes the owner label away',
    on: 'config',
    outcome: 'corrected',
    edit: ({ config }) =>
      kubectl(config, 'merge', { metadata: { labels: { [`${OWNER.group}/name`]: null } } }, 'kubectl-label'),
  },
  {
    name: 'kubectl annotate',
    on: 'service',
    outcome: 'corrected',
    edit: ({ service }) =>
      kubectl(service, 'merge', { metadata: { annotations: { note: 'x' } } }, 'kubectl-annotate'),
  },
  {
    name: 'kubectl patch changes a value',
    on: 'config',
    outcome: 'corrected',
    edit: ({ config }) => kubectl(config, 'merge', { data: { a: 'changed' } }, 'kubectl-patch'),
  },
  {
    name: 'kubectl patch deletes a key',
    on: 'config',
    outcome: 'corrected',
    edit: ({ config }) => kubectl(config, 'merge', { data: { b: null } }, 'kubectl-patch'),
  },
  {
    name: 'kubectl patch of a Secret',
    on: 'secret',
    outcome: 'corrected',
    edit: ({ secret }) =>
      kubectl(secret, 'merge', { data: { password: 'Y2hhbmdlZA==', extra: 'eA==' } }, 'kubectl-patch'),
  },
  {
    name: 'kubectl apply from a client',
    on: 'config',
    outcome: 'corrected',
    edit: ({ config }) => {
      const annotations = { [LAST_APPLIED]: '{"data":{"a":"other","c":"3"}}\n' };
      const body = { metadata: { annotations }, data: { a: 'other', c: '3' } };
      return kubectl(config, 'merge', body, 'kubectl-client-side-apply');
    },
  },
  {
    name: 'kubectl apply --server-side --force-conflicts',
    on: 'web',
    outcome: 'corrected',
    edit: ({ web }) =>
      client.apply(part(web, { spec: { replicas: 5, minReadySeconds: 9 } }), {
        fieldManager: 'kubectl',
        force: true,
      }),
  },
  {
    name: 'kubectl replace',
    on: 'config',
    outcome: 'corrected',
    edit: ({ config }) =>
      replace(
        config,
        (live) => {
          live.data = { z: '26' };
        },
        'kubectl-replace',
      ),
  },
  {
    name: 'kubectl edit adds a finalizer',
    on: 'config',
    outcome: 'corrected',
    edit: ({ config }) =>
      kubectl(config, 'merge', { metadata: { finalizers: ['example.com/hold'] } }, 'kubectl-edit'),
  },
  {
    name: 'another manager applies another value with force',
    on: 'web',
    outcome: 'corrected',
    edit: ({ web }) =>
      client.apply(part(web, { spec: { replicas: 9 } }), { fieldManager: 'rival', force: true }),
  },
  {
    name: 'another manager applies the same value beside us',
    on: 'web',
    outcome: 'kept',
    edit: ({ web }) =>
      client.apply(part(web, { spec: { replicas: 2 } }), { fieldManager: 'friend', force: false }),
  },
  {
    name: 'another manager applies a field that the manifest does not have',
    on: 'web',
    outcome: 'kept',
    edit: ({ web }) =>
      client.apply(part(web, { spec: { minReadySeconds: 4 } }), { fieldManager: 'friend', force: false }),
  },
  {
    name: 'a controller updates a field of the manifest',
    on: 'web',
    outcome: 'corrected',
    edit: ({ web }) => kubectl(web, 'strategic', { spec: { replicas: 4 } }, 'some-controller'),
  },
  {
    name: 'a controller adds a label',
    on: 'web',
    outcome: 'kept',
    edit: ({ web }) => kubectl(web, 'merge', { metadata: { labels: { seen: 'yes' } } }, 'some-controller'),
  },
  {
    name: 'a controller adds an item to a list with keys',
    on: 'web',
    outcome: 'kept',
    edit: ({ web }) =>
      kubectl(web, 'strategic', container({ env: [{ name: 'INJECTED', value: '1' }] }), 'some-injector'),
  },
  {
    name: 'a controller adds a sidecar',
    on: 'web',
    outcome: 'kept',
    edit: ({ web }) => {
      const containers = [{ name: 'sidecar', image: 'proxy:1' }];
      return kubectl(web, 'strategic', { spec: { template: { spec: { containers } } } }, 'some-injector');
    },
  },
  {
    name: 'a controller removes an item of a list with keys',
    on: 'web',
    outcome: 'corrected',
    edit: ({ web }) =>
      kubectl(web, 'strategic', container({ env: [{ name: 'MODE', $patch: 'delete' }] }), 'some-controller'),
  },
  {
    name: 'a controller adds a port to a Service',
    on: 'service',
    outcome: 'kept',
    edit: ({ service }) =>
      kubectl(
        service,
        'strategic',
        { spec: { ports: [{ name: 'metrics', port: 9090 }] } },
        'some-controller',
      ),
  },
  {
    name: 'a controller adds a key to a ConfigMap',
    on: 'config',
    outcome: 'kept',
    edit: ({ config }) => kubectl(config, 'merge', { data: { injected: 'x' } }, 'some-controller'),
  },
  {
    name: 'a controller adds a finalizer',
    on: 'config',
    outcome: 'kept',
    edit: ({ config }) =>
      kubectl(config, 'merge', { metadata: { finalizers: ['example.com/protect'] } }, 'some-controller'),
  },
  {
    name: 'kubectl apply with the manager name that Flux leaves alone',
    on: 'config',
    outcome: 'kept',
    edit: ({ config }) => kubectl(config, 'merge', { data: { kept: 'x' } }, 'flux-client-side-apply'),
  },
  {
    name: 'somebody applies another value under our own name',
    on: 'config',
    outcome: 'corrected',
    edit: ({ config }) =>
      client.apply(part(config, { data: { a: 'forged', b: '2' } }, { labels: labelsOfOwner() }), {
        fieldManager: MANAGER,
        force: true,
      }),
  },
  {
    name: 'somebody applies less under our own name',
    on: 'web',
    outcome: 'corrected',
    edit: ({ web }) => {
      const { replicas: _replicas, ...spec } = web.spec as Record<string, unknown>;
      return client.apply({ ...web, spec }, { fieldManager: MANAGER, force: true });
    },
  },
  {
    name: 'somebody updates under our own name',
    on: 'web',
    outcome: 'corrected',
    edit: ({ web }) => kubectl(web, 'strategic', { spec: { progressDeadlineSeconds: 99 } }, MANAGER),
  },
  {
    name: 'kubectl delete',
    on: 'service',
    outcome: 'corrected',
    edit: ({ service }) => client.delete(refOf(service)),
  },
  {
    name: 'a backup with old content is restored',
    on: 'config',
    outcome: 'corrected',
    edit: async ({ config }) => {
      const live = await client.get<KubernetesObject>(refOf(config));
      await client.delete(refOf(config));
      const { uid: _uid, resourceVersion: _version, ...metadata } = live?.metadata ?? config.metadata;
      await client.create({ ...config, metadata, data: { a: 'old' } }, { fieldManager: 'velero' });
    },
  },
  {
    name: 'it is deleted and made anew by kubectl create, empty',
    on: 'secret',
    outcome: 'corrected',
    edit: async ({ secret }) => {
      await client.delete(refOf(secret));
      await client.create(part(secret, { data: { other: 'eA==' } }), { fieldManager: 'kubectl-create' });
    },
  },
  {
    name: 'a status is written',
    on: 'web',
    outcome: 'kept',
    edit: async ({ web }) => {
      const condition = { type: 'Tested', status: 'True', reason: 'Test', message: 'by hand' };
      await client.patch(
        refOf(web),
        'strategic',
        { status: { conditions: [condition] } },
        { subresource: 'status', fieldManager: 'some-controller' },
      );
    },
  },
];

function labelsOfOwner(): Record<string, string> {
  return { [`${OWNER.group}/name`]: OWNER.name, [`${OWNER.group}/namespace`]: OWNER.namespace };
}

/** Waits until the Deployment's own controller has seen it, so that it does not write in the middle of a test. */
async function settled(web: KubernetesObject): Promise<void> {
  await expect
    .poll(
      async () => {
        const live = await client.get<KubernetesObject & { status?: { observedGeneration?: number } }>(
          refOf(web),
        );
        return live?.status?.observedGeneration === live?.metadata.generation;
      },
      { timeout: 20_000 },
    )
    .toBe(true);
}

/** What the sweep would find: the identities whose live metadata differs from what is remembered. */
async function sweep(applier: Applier, objects: readonly KubernetesObject[]): Promise<string[]> {
  const lists = objects.map((object) =>
    client.listMetadata(refOf(object), { namespace: refOf(object).namespace }),
  );
  const live = (await Promise.all(lists)).flatMap(({ items }) => items);
  return driftedOf(applier.known, live, MANAGER);
}

describe('an edit in the cluster', () => {
  test.each(edits)('$name: $outcome', async ({ edit, outcome, on }) => {
    const namespace = await freshNamespace('drift');
    const applied = manifests(namespace);
    const objects = NAMES.map((name) => applied[name]);
    const edited = applied[on];
    const applier = new Applier(client);
    await applier.apply(objects);
    await settled(applied.web);
    await applier.apply(objects);
    const before = await stateOf(refOf(edited));
    await edit(applied);
    const drifted = await stateOf(refOf(edited));
    const swept = await sweep(applier, objects);

    const result = await applier.apply(objects);

    const action = actions(result)[`${edited.kind}/${edited.metadata.name}`];
    const after = await stateOf(refOf(edited));
    if (outcome === 'corrected') {
      expect(['configured', 'created']).toContain(action);
      expect(drifted).not.toEqual(before);
      expect(swept).toContain(identityOf(refOf(edited)));
      expect(after).toEqual(before);
    } else {
      expect(action).toBe('unchanged');
      expect(after).toEqual(drifted);
    }
    // The Deployment's controller may still write its status; everything else must stay as it is.
    const quiet = objects.filter((object) => object !== applied.web);
    const steady = await versions(client, quiet);
    const writes = applier.counts.writes;
    expect(new Set(Object.values(actions(await applier.apply(objects))))).toEqual(new Set(['unchanged']));
    applier.known = new Map();
    const previous = new Set(objects.map((object) => identityOf(refOf(object))));
    const compared = await applier.apply(objects, { previous });
    expect(new Set(Object.values(actions(compared)))).toEqual(new Set(['unchanged']));
    expect(applier.counts.writes).toBe(writes);
    expect(await versions(client, quiet)).toEqual(steady);
  });
});
