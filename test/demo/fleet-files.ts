/** The fleet repository of the demo: two clusters, one platform layer, one application with an overlay for each cluster, and one that is the same in both. */
import { stringify } from 'yaml';
import { shopFiles } from './shop-files.ts';

export const clusterNames = ['staging', 'production'] as const;
export type ClusterName = (typeof clusterNames)[number];

/** How often drift is looked for in the demo. Real repositories say minutes. */
export const driftInterval = '5s';

const replicas: Record<ClusterName, number> = { staging: 1, production: 3 };

/**
 * The files of the first commit.
 * @param registry host and port of the registry
 */
export function fleetFiles(registry: string): Record<string, string> {
  const files: Record<string, string> = {
    'README.md': '# Fleet\n\nclusters/<name> is what is applied to each cluster.\n',
    'platform/namespace.yaml': yaml(
      { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'podinfo' } },
      { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name: 'podinfo', namespace: 'podinfo' } },
    ),
    'apps/podinfo/base/kustomization.yaml': baseKustomization('6.9.0'),
    'apps/podinfo/base/podinfo.yaml': yaml(deployment(), service(), settings()),
    ...shopFiles(registry),
  };
  for (const cluster of clusterNames) {
    files[`clusters/${cluster}/platform.yaml`] = toolkitKustomization('platform', './platform');
    files[`clusters/${cluster}/podinfo.yaml`] = toolkitKustomization(
      'podinfo',
      `./apps/podinfo/${cluster}`,
      'platform',
    );
    files[`clusters/${cluster}/shop.yaml`] = toolkitKustomization('shop', './apps/shop', 'platform');
    files[`apps/podinfo/${cluster}/kustomization.yaml`] = overlay(cluster, String(replicas[cluster]));
  }
  return files;
}

/** What the release changes: the version of the image, for both clusters. */
export function releaseFiles(version: string): Record<string, string> {
  return { 'apps/podinfo/base/kustomization.yaml': baseKustomization(version) };
}

/** A commit that must not get through: it deletes the settings, and mistypes a number on the way. */
export function badFiles(): Record<string, string> {
  const removal = [
    '  - patch: |',
    '      apiVersion: v1',
    '      kind: ConfigMap',
    '      metadata:',
    '        name: podinfo',
    '        namespace: podinfo',
    '      $patch: delete',
    '',
  ];
  return {
    'apps/podinfo/production/kustomization.yaml': overlay('production', 'three') + removal.join('\n'),
  };
}

function overlay(cluster: ClusterName, count: string): string {
  return `apiVersion: kustomize.config.k8s.io/v1beta1
kind: Kustomization
resources:
  - ../base
patches:
  - patch: |
      apiVersion: apps/v1
      kind: Deployment
      metadata:
        name: podinfo
        namespace: podinfo
      spec:
        replicas: ${count}
  - patch: |
      apiVersion: v1
      kind: ConfigMap
      metadata:
        name: podinfo
        namespace: podinfo
      data:
        message: Hello from ${cluster}
`;
}

function baseKustomization(version: string): string {
  return `apiVersion: kustomize.config.k8s.io/v1beta1
kind: Kustomization
namespace: podinfo
resources:
  - podinfo.yaml
images:
  - name: ghcr.io/stefanprodan/podinfo
    newTag: ${version}
`;
}

function toolkitKustomization(name: string, path: string, dependsOn?: string): string {
  return yaml({
    apiVersion: 'kustomize.toolkit.fluxcd.io/v1',
    kind: 'Kustomization',
    metadata: { name, namespace: 'flux-system' },
    spec: {
      interval: driftInterval,
      path,
      prune: true,
      sourceRef: { kind: 'GitRepository', name: 'flux-system' },
      ...(dependsOn ? { dependsOn: [{ name: dependsOn }] } : {}),
    },
  });
}

const labels = { app: 'podinfo' };

function deployment(): object {
  const image = 'ghcr.io/stefanprodan/podinfo';
  const environment = [
    { name: 'PODINFO_UI_MESSAGE', valueFrom: { configMapKeyRef: { name: 'podinfo', key: 'message' } } },
  ];
  const container = {
    name: 'podinfo',
    image,
    ports: [{ name: 'http', containerPort: 9898 }],
    env: environment,
  };
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name: 'podinfo' },
    spec: {
      replicas: 1,
      selector: { matchLabels: labels },
      template: { metadata: { labels }, spec: { serviceAccountName: 'podinfo', containers: [container] } },
    },
  };
}

function service(): object {
  const ports = [{ name: 'http', port: 80, targetPort: 'http' }];
  return {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name: 'podinfo' },
    spec: { selector: labels, ports },
  };
}

function settings(): object {
  return { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'podinfo' }, data: { message: 'Hello' } };
}

function yaml(...objects: object[]): string {
  return objects.map((object) => stringify(object)).join('---\n');
}
