import type { KubernetesObject } from '../../lib/core/object.ts';
import { customResourceDefinitions } from '../../lib/toolkit/crd.ts';
import { configMap, kustomization, namespace, yaml } from './fleet-repository.ts';

const HOME = 'flux-system';

/** The controllers that `flux bootstrap` installs. */
export const CONTROLLERS = ['source', 'kustomize', 'helm', 'notification'].map(
  (name) => `${name}-controller`,
);

/** `app.kubernetes.io/part-of: flux`, which every part of Flux carries. */
function labels(component?: string): Record<string, string> {
  return {
    'app.kubernetes.io/instance': HOME,
    'app.kubernetes.io/part-of': 'flux',
    'app.kubernetes.io/version': 'v2.7.0',
    ...(component === undefined ? {} : { 'app.kubernetes.io/component': component }),
  };
}

/** What `flux install --export` prints, with fewer fields. */
export function components(): KubernetesObject[] {
  const rbac = 'rbac.authorization.k8s.io/v1';
  const definitions = customResourceDefinitions().map((definition) => ({
    ...definition,
    metadata: { name: definition.metadata.name, labels: labels('source-controller') },
  }));
  return [
    { apiVersion: 'v1', kind: 'Namespace', metadata: { name: HOME, labels: labels() } },
    {
      apiVersion: 'networking.k8s.io/v1',
      kind: 'NetworkPolicy',
      metadata: { name: 'allow-egress', namespace: HOME, labels: labels() },
      spec: { podSelector: {}, egress: [{}], policyTypes: ['Ingress', 'Egress'] },
    },
    {
      apiVersion: 'v1',
      kind: 'ResourceQuota',
      metadata: { name: 'critical-pods-flux-system', namespace: HOME, labels: labels() },
      spec: { hard: { pods: '1000' } },
    },
    ...definitions,
    helmReleaseDefinition(),
    {
      apiVersion: rbac,
      kind: 'ClusterRoleBinding',
      metadata: { name: 'cluster-reconciler-flux-system', labels: labels() },
      roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'cluster-admin' },
      subjects: [{ kind: 'ServiceAccount', name: 'kustomize-controller', namespace: HOME }],
    },
    {
      apiVersion: rbac,
      kind: 'ClusterRole',
      metadata: { name: 'crd-controller-flux-system', labels: labels() },
      rules: [{ apiGroups: ['source.toolkit.fluxcd.io'], resources: ['*'], verbs: ['*'] }],
    },
    ...CONTROLLERS.flatMap((name) => [
      { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name, namespace: HOME, labels: labels(name) } },
      service(name),
      deployment(name),
    ]),
  ];
}

function helmReleaseDefinition(): KubernetesObject {
  const schema = { openAPIV3Schema: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true } };
  return {
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: { name: 'helmreleases.helm.toolkit.fluxcd.io', labels: labels('helm-controller') },
    spec: {
      group: 'helm.toolkit.fluxcd.io',
      names: {
        kind: 'HelmRelease',
        listKind: 'HelmReleaseList',
        plural: 'helmreleases',
        singular: 'helmrelease',
      },
      scope: 'Namespaced',
      versions: [{ name: 'v2', served: true, storage: true, schema }],
    },
  };
}

function service(name: string): KubernetesObject {
  return {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name, namespace: HOME, labels: labels(name) },
    spec: { selector: { app: name }, ports: [{ name: 'http', port: 80, protocol: 'TCP', targetPort: 9090 }] },
  };
}

function deployment(name: string): KubernetesObject {
  const image = `ghcr.io/fluxcd/${name}:v1.7.0`;
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name, namespace: HOME, labels: labels(name) },
    spec: {
      replicas: 1,
      selector: { matchLabels: { app: name } },
      template: {
        metadata: { labels: { app: name } },
        spec: { serviceAccountName: name, containers: [{ name: 'manager', image }] },
      },
    },
  };
}

/** The repository of a cluster `prod` as `flux bootstrap` leaves it, with one application. @param url its own clone URL */
export function bootstrappedFiles(url: string): Record<string, string> {
  const root = 'clusters/prod/flux-system';
  const sync = [
    {
      apiVersion: 'source.toolkit.fluxcd.io/v1',
      kind: 'GitRepository',
      metadata: { name: HOME, namespace: HOME },
      spec: { interval: '1m0s', ref: { branch: 'main' }, secretRef: { name: HOME }, url },
    },
    kustomization(HOME, './clusters/prod', { interval: '10m0s' }),
  ];
  return {
    [`${root}/gotk-components.yaml`]: yaml(...components()),
    [`${root}/gotk-sync.yaml`]: yaml(...sync),
    [`${root}/kustomization.yaml`]:
      'apiVersion: kustomize.config.k8s.io/v1beta1\nkind: Kustomization\nresources:\n- gotk-components.yaml\n- gotk-sync.yaml\n',
    'clusters/prod/apps.yaml': yaml(kustomization('apps', './apps')),
    'apps/app.yaml': yaml(namespace('apps'), configMap('settings', 'apps', { mode: 'fast' })),
  };
}
