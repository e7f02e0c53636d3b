import { randomBytes } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { observe } from '../../lib/apply/drift.ts';
import type { KubernetesObject } from '../../lib/core/object.ts';
import { refOf } from '../../lib/core/object.ts';
import { clientOf, configMap, deployment, MANAGER } from '../support/apply.ts';
import { freshNamespace, useKubernetes } from '../support/cluster.ts';

const client = clientOf(await useKubernetes());
const suffix = randomBytes(4).toString('hex');

type Make = (
  namespace: string,
  version: number,
) => Omit<KubernetesObject, 'metadata'> & { namespaced?: false };

const selector = { matchLabels: { app: 'x' } };
const podTemplate = (image: string) => ({
  metadata: { labels: { app: 'x' } },
  spec: { containers: [{ name: 'main', image }] },
});
const job = (image: string) => ({ spec: { ...podTemplate(image).spec, restartPolicy: 'Never' } });
const path = (name: string) => ({
  path: '/',
  pathType: 'Prefix',
  backend: { service: { name, port: { number: 80 } } },
});

/** Objects whose second version differs outside of metadata, in a way that the server accepts. */
const kinds: Record<string, Make> = {
  ConfigMap: (namespace, version) => configMap(namespace, 'x', { key: String(version) }),
  Secret: (_namespace, version) => ({
    apiVersion: 'v1',
    kind: 'Secret',
    data: { key: btoa(String(version)) },
  }),
  Service: (_namespace, version) => ({
    apiVersion: 'v1',
    kind: 'Service',
    spec: { ports: [{ port: 80 + version }] },
  }),
  ServiceAccount: (_namespace, version) => ({
    apiVersion: 'v1',
    kind: 'ServiceAccount',
    automountServiceAccountToken: version === 1,
  }),
  LimitRange: (_namespace, version) => ({
    apiVersion: 'v1',
    kind: 'LimitRange',
    spec: { limits: [{ type: 'Container', max: { cpu: String(version) } }] },
  }),
  ResourceQuota: (_namespace, version) => ({
    apiVersion: 'v1',
    kind: 'ResourceQuota',
    spec: { hard: { pods: String(version) } },
  }),
  Role: (_namespace, version) => ({
    apiVersion: 'rbac.authorization.k8s.io/v1',
    kind: 'Role',
    rules: [{ apiGroups: [''], resources: ['pods'], verbs: version === 1 ? ['get'] : ['list'] }],
  }),
  Deployment: (namespace, version) => {
    const object = deployment(namespace, 'x');
    return { ...object, spec: { ...(object.spec as object), replicas: version } };
  },
  StatefulSet: (_namespace, version) => ({
    apiVersion: 'apps/v1',
    kind: 'StatefulSet',
    spec: { serviceName: 'x', replicas: 0, selector, template: podTemplate(`app:${version}`) },
  }),
  DaemonSet: (_namespace, version) => ({
    apiVersion: 'apps/v1',
    kind: 'DaemonSet',
    spec: { selector, template: podTemplate(`app:${version}`) },
  }),
  Job: (_namespace, version) => ({
    apiVersion: 'batch/v1',
    kind: 'Job',
    spec: { suspend: true, activeDeadlineSeconds: 100 + version, template: job('app') },
  }),
  CronJob: (_namespace, version) => ({
    apiVersion: 'batch/v1',
    kind: 'CronJob',
    spec: { schedule: `${version} * * * *`, jobTemplate: { spec: { template: job('app') } } },
  }),
  HorizontalPodAutoscaler: (_namespace, version) => ({
    apiVersion: 'autoscaling/v2',
    kind: 'HorizontalPodAutoscaler',
    spec: { maxReplicas: version, scaleTargetRef: { apiVersion: 'apps/v1', kind: 'Deployment', name: 'x' } },
  }),
  PodDisruptionBudget: (_namespace, version) => ({
    apiVersion: 'policy/v1',
    kind: 'PodDisruptionBudget',
    spec: { minAvailable: version, selector },
  }),
  Ingress: (_namespace, version) => ({
    apiVersion: 'networking.k8s.io/v1',
    kind: 'Ingress',
    spec: { rules: [{ http: { paths: [path(`s${version}`)] } }] },
  }),
  NetworkPolicy: (_namespace, version) => ({
    apiVersion: 'networking.k8s.io/v1',
    kind: 'NetworkPolicy',
    spec: { podSelector: { matchLabels: { version: String(version) } } },
  }),
  EndpointSlice: (_namespace, version) => ({
    apiVersion: 'discovery.k8s.io/v1',
    kind: 'EndpointSlice',
    addressType: 'IPv4',
    endpoints: [{ addresses: [`10.1.0.${version}`] }],
  }),
  Lease: (_namespace, version) => ({
    apiVersion: 'coordination.k8s.io/v1',
    kind: 'Lease',
    spec: { leaseDurationSeconds: version },
  }),
  PriorityClass: (_namespace, version) => ({
    apiVersion: 'scheduling.k8s.io/v1',
    kind: 'PriorityClass',
    value: 10,
    description: `version ${version}`,
    namespaced: false,
  }),
  StorageClass: (_namespace, version) => ({
    apiVersion: 'storage.k8s.io/v1',
    kind: 'StorageClass',
    provisioner: 'example.com/x',
    allowVolumeExpansion: version === 1,
    namespaced: false,
  }),
  IngressClass: (_namespace, version) => ({
    apiVersion: 'networking.k8s.io/v1',
    kind: 'IngressClass',
    spec: { controller: 'example.com/x', parameters: { kind: 'X', name: `p${version}`, scope: 'Cluster' } },
    namespaced: false,
  }),
  ClusterRole: (_namespace, version) => ({
    apiVersion: 'rbac.authorization.k8s.io/v1',
    kind: 'ClusterRole',
    rules: [{ apiGroups: [''], resources: ['pods'], verbs: version === 1 ? ['get'] : ['list'] }],
    namespaced: false,
  }),
  ValidatingWebhookConfiguration: (_namespace, version) => ({
    apiVersion: 'admissionregistration.k8s.io/v1',
    kind: 'ValidatingWebhookConfiguration',
    webhooks: [
      {
        name: 'x.example.com',
        admissionReviewVersions: ['v1'],
        sideEffects: 'None',
        failurePolicy: 'Ignore',
        timeoutSeconds: version,
        clientConfig: { url: 'https://127.0.0.1:1/' },
        rules: [
          { apiGroups: ['none.example.com'], apiVersions: ['v1'], operations: ['CREATE'], resources: ['x'] },
        ],
      },
    ],
    namespaced: false,
  }),
  ValidatingAdmissionPolicy: (_namespace, version) => ({
    apiVersion: 'admissionregistration.k8s.io/v1',
    kind: 'ValidatingAdmissionPolicy',
    spec: {
      matchConstraints: {
        resourceRules: [
          { apiGroups: ['none.example.com'], apiVersions: ['v1'], operations: ['CREATE'], resources: ['x'] },
        ],
      },
      validations: [{ expression: `${version} > 0` }],
    },
    namespaced: false,
  }),
  FlowSchema: (_namespace, version) => ({
    apiVersion: 'flowcontrol.apiserver.k8s.io/v1',
    kind: 'FlowSchema',
    spec: { matchingPrecedence: 9_000 + version, priorityLevelConfiguration: { name: 'global-default' } },
    namespaced: false,
  }),
  CSIDriver: (_namespace, version) => ({
    apiVersion: 'storage.k8s.io/v1',
    kind: 'CSIDriver',
    spec: { attachRequired: false, requiresRepublish: version === 1 },
    namespaced: false,
  }),
};

describe('a rewrite under our own name is seen in the metadata of', () => {
  test.each(Object.entries(kinds))('%s', async (_kind, make) => {
    const namespace = await freshNamespace('generation');
    const named = (version: number): KubernetesObject => {
      const {
        namespaced,
        metadata: _metadata,
        ...body
      } = make(namespace, version) as ReturnType<Make> & {
        metadata?: unknown;
      };
      const metadata = namespaced === false ? { name: `x-${suffix}.example.com` } : { name: 'x', namespace };
      return { ...body, metadata } as KubernetesObject;
    };
    const options = { fieldManager: MANAGER, force: true };
    const first = await client.apply<KubernetesObject>(named(1), options);
    const second = await client.apply<KubernetesObject>(named(2), options);
    // The time has seconds only, so a rewrite at once does not show in it.
    for (const entry of second.metadata.managedFields ?? []) delete entry.time;
    for (const entry of first.metadata.managedFields ?? []) delete entry.time;
    expect(observe(second, MANAGER)).not.toBe(observe(first, MANAGER));
    if (!first.metadata.namespace) await client.delete(refOf(first));
  });
});
