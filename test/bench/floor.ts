import { randomBytes } from 'node:crypto';
import pLimit from 'p-limit';
import { entryOf } from '../../lib/core/inventory.ts';
import type { KubernetesObject } from '../../lib/core/object.ts';
import { describe, refOf } from '../../lib/core/object.ts';
import type { KubeClient } from '../../lib/kube/client.ts';
import type { KubeConnection } from '../../lib/kube/connection.ts';
import { createKubeClient } from '../../lib/kube/rest.ts';
import type { WithStatus } from '../../lib/pipeline/status.ts';
import { appObjects, kustomization, names } from './manifests.ts';

const MANAGER = 'kustomize-controller';
const REVISION = `main@sha1:${'0'.repeat(40)}`;
const REASON = 'ReconciliationSucceeded';
const APPLIED = `Applied revision: ${REVISION}`;
const AT = '2026-01-01T00:00:00Z';

/**
 * How fast the API server takes the writes of a first apply when nothing else is done: finalizer, inventory, four objects,
 * status and event of `count` Kustomizations, sent raw, one Kustomization's writes in order.
 * @param concurrency how many Kustomizations are written at a time
 * @returns ms
 */
export async function measureFloor(
  connection: KubeConnection,
  count: number,
  concurrency: number,
): Promise<number> {
  const client = createKubeClient(connection, { connections: concurrency });
  const namespace = `floor-${randomBytes(4).toString('hex')}`;
  await client.create({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace } });
  const created = await prepare(client, namespace, names('floor', count));
  const limit = pLimit(concurrency);
  const began = performance.now();
  await Promise.all(created.map((object) => limit(() => writeOne(client, object, namespace))));
  const ms = performance.now() - began;
  await cleanUp(client, namespace, created);
  await client.close();
  return ms;
}

async function prepare(client: KubeClient, namespace: string, all: readonly string[]): Promise<WithStatus[]> {
  const limit = pLimit(16);
  return Promise.all(
    all.map((name) =>
      limit(() => {
        const object = kustomization(name, './none', { suspend: true });
        return client.create<WithStatus>({ ...object, metadata: { name, namespace } });
      }),
    ),
  );
}

async function cleanUp(client: KubeClient, namespace: string, created: readonly WithStatus[]): Promise<void> {
  const limit = pLimit(16);
  await Promise.all(
    created.flatMap((object) =>
      [object, event(object, [])].map((each) => limit(() => client.delete(refOf(each)))),
    ),
  );
  await removeApps(
    client,
    namespace,
    created.map(({ metadata }) => metadata.name),
  );
}

/**
 * Takes the objects of applications away, for the next measurement: the API server looks through all addresses that are in use whenever it
 * gives a Service one, so that each thousand of Services left behind makes the next thousand dearer.
 */
export async function removeApps(
  client: KubeClient,
  namespace: string,
  all: readonly string[],
): Promise<void> {
  const limit = pLimit(16);
  const objects = all.flatMap((name) => appObjects(name, namespace, '1'));
  await Promise.all(objects.map((object) => limit(() => client.delete(refOf(object)))));
}

/** The writes of one Kustomization, with what those of a first apply hold. */
async function writeOne(client: KubeClient, created: WithStatus, namespace: string): Promise<void> {
  const { name } = created.metadata;
  const objects = appObjects(name, namespace, '1');
  const inventory = { entries: objects.map((object) => entryOf(object)) };
  // An annotation costs the same as a finalizer and lets the object be deleted afterwards.
  const marked = await client.patch<WithStatus>(refOf(created), 'merge', {
    metadata: { annotations: { marked: 'yes' } },
  });
  const progress = ['Progressing', `Reconciliation of revision ${REVISION} is in progress`] as const;
  const begun = await client.updateStatus<WithStatus>({
    ...marked,
    status: {
      conditions: [condition('Reconciling', 'True', ...progress), condition('Ready', 'Unknown', ...progress)],
      lastAttemptedRevision: REVISION,
      inventory,
    },
  });
  for (const object of objects)
    await client.apply(withLabels(object), { fieldManager: MANAGER, force: true });
  const ended = await client.updateStatus<WithStatus>({
    ...begun,
    status: {
      conditions: [condition('Ready', 'True', REASON, APPLIED)],
      lastAppliedRevision: REVISION,
      lastAttemptedRevision: REVISION,
      inventory,
      observedGeneration: 1,
      history: [
        {
          digest: `sha256:${'0'.repeat(64)}`,
          firstReconciled: AT,
          lastReconciled: AT,
          lastReconciledDuration: '100ms',
          lastReconciledStatus: REASON,
          totalReconciliations: 1,
          metadata: { revision: REVISION },
        },
      ],
    },
  });
  await client.create(event(ended, objects));
}

function withLabels(object: KubernetesObject): KubernetesObject {
  const labels = {
    'kustomize.toolkit.fluxcd.io/name': object.metadata.name,
    'kustomize.toolkit.fluxcd.io/namespace': 'flux-system',
  };
  return { ...object, metadata: { ...object.metadata, labels } };
}

function condition(type: string, status: string, reason: string, message: string) {
  return { type, status, reason, message, lastTransitionTime: AT, observedGeneration: 1 };
}

function event({ metadata }: WithStatus, objects: readonly KubernetesObject[]): KubernetesObject {
  const { name, namespace = '', uid, resourceVersion } = metadata;
  const changes = objects.map((object) => `${describe(refOf(object))} created`);
  return {
    apiVersion: 'v1',
    kind: 'Event',
    metadata: {
      name: `${name}.floor`,
      namespace,
      annotations: { 'kustomize.toolkit.fluxcd.io/revision': REVISION },
    },
    involvedObject: {
      apiVersion: 'kustomize.toolkit.fluxcd.io/v1',
      kind: 'Kustomization',
      name,
      namespace,
      uid,
      resourceVersion,
    },
    type: 'Normal',
    reason: REASON,
    message: [APPLIED, ...changes].join('\n'),
    source: { component: MANAGER },
    reportingComponent: MANAGER,
    reportingInstance: 'slipway',
    firstTimestamp: AT,
    lastTimestamp: AT,
    count: 1,
  };
}
