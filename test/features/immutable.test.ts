import { describe, expect, test } from 'vitest';
import type { KubernetesObject } from '../../lib/core/object.ts';
import { refOf } from '../../lib/core/object.ts';
import { isNotFound } from '../../lib/kube/errors.ts';
import { Applier, clientOf, configMap, deployment } from '../support/apply.ts';
import { freshNamespace, useKubernetes } from '../support/cluster.ts';

const client = clientOf(await useKubernetes());

type Make = (namespace: string, changed: boolean) => KubernetesObject;

const pod = (image: string) => ({ restartPolicy: 'Never', containers: [{ name: 'main', image }] });

/** Manifests whose change the server refuses, each in its own words. */
const changes: Record<string, Make> = {
  'the template of a Job': (namespace, changed) => ({
    apiVersion: 'batch/v1',
    kind: 'Job',
    metadata: { name: 'x', namespace },
    spec: { suspend: true, template: { spec: pod(changed ? 'app:2' : 'app:1') } },
  }),
  'the selector of a Deployment': (namespace, changed) => {
    const object = deployment(namespace, 'x');
    const spec = object.spec as {
      selector: unknown;
      template: { metadata: { labels: Record<string, string> } };
    };
    if (changed) {
      spec.selector = { matchLabels: { app: 'x', tier: 'web' } };
      spec.template.metadata.labels.tier = 'web';
    }
    return object;
  },
  'the service name of a StatefulSet': (namespace, changed) => ({
    apiVersion: 'apps/v1',
    kind: 'StatefulSet',
    metadata: { name: 'x', namespace },
    spec: {
      serviceName: changed ? 'b' : 'a',
      replicas: 0,
      selector: { matchLabels: { app: 'x' } },
      template: {
        metadata: { labels: { app: 'x' } },
        spec: { containers: [{ name: 'main', image: 'app' }] },
      },
    },
  }),
  'the address of a Service': (namespace, changed) => ({
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name: 'x', namespace },
    spec: { clusterIP: changed ? '10.0.99.2' : '10.0.99.1', ports: [{ port: 80 }] },
  }),
  'the data of an immutable ConfigMap': (namespace, changed) => ({
    ...configMap(namespace, 'x', { key: changed ? 'b' : 'a' }),
    immutable: true,
  }),
  'the type of a Secret': (namespace, changed) => ({
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: { name: 'x', namespace },
    type: changed ? 'example.com/b' : 'example.com/a',
  }),
  'the role of a RoleBinding': (namespace, changed) => ({
    apiVersion: 'rbac.authorization.k8s.io/v1',
    kind: 'RoleBinding',
    metadata: { name: 'x', namespace },
    roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'Role', name: changed ? 'b' : 'a' },
    subjects: [],
  }),
  'the modes of a volume claim': (namespace, changed) => ({
    apiVersion: 'v1',
    kind: 'PersistentVolumeClaim',
    metadata: { name: 'x', namespace },
    spec: {
      accessModes: [changed ? 'ReadWriteMany' : 'ReadWriteOnce'],
      resources: { requests: { storage: '1Gi' } },
    },
  }),
  'the image pull policy of a Pod': (namespace, changed) => ({
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: 'x', namespace },
    spec: { containers: [{ name: 'main', image: 'app', imagePullPolicy: changed ? 'Never' : 'Always' }] },
  }),
};

describe('a change that the server cannot make in place', () => {
  test.each(Object.entries(changes))(
    '%s: is refused with what to do, and made with force',
    async (_name, make) => {
      const namespace = await freshNamespace('immutable');
      const applier = new Applier(client);
      const ref = refOf(make(namespace, false));
      await applier.apply([make(namespace, false)]);
      const before = await client.getMetadata(ref);

      const refused = applier.apply([make(namespace, true), configMap(namespace, 'beside')]);

      await expect(refused).rejects.toMatchObject({ reason: 'ReconciliationFailed', outcome: 'retry' });
      await expect(refused).rejects.toThrow(`${ref.kind}/${namespace}/x dry-run failed`);
      await expect(refused).rejects.toThrow('kustomize.toolkit.fluxcd.io/force: Enabled, or set spec.force');
      expect((await client.getMetadata(ref))?.metadata.uid).toBe(before?.metadata.uid);
      expect(await client.getMetadata(refOf(configMap(namespace, 'beside')))).toBeUndefined();

      // Finalizers of claims go when the controller gets to it; this one does not wait for that.
      const sleep = async () => {
        const live = await client.getMetadata(ref);
        if (!live?.metadata.deletionTimestamp) return;
        await client.patch(ref, 'merge', { metadata: { finalizers: null } }).catch((error: unknown) => {
          if (!isNotFound(error)) throw error;
        });
      };
      await applier.apply([make(namespace, true)], { force: true, sleep });
      const after = await client.getMetadata(ref);
      expect(after?.metadata.uid).not.toBe(before?.metadata.uid);
    },
  );
});
