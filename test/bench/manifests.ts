import { stringify } from 'yaml';
import type { KubernetesObject } from '../../lib/core/object.ts';

/** The four objects of one application: what Flux's own benchmark deploys, with nothing that would start a pod. */
export function appObjects(name: string, namespace: string, version: string): KubernetesObject[] {
  const metadata = { name, namespace };
  const labels = { app: name };
  return [
    { apiVersion: 'v1', kind: 'ServiceAccount', metadata },
    { apiVersion: 'v1', kind: 'ConfigMap', metadata, data: { version } },
    {
      apiVersion: 'v1',
      kind: 'Service',
      metadata,
      spec: { selector: labels, ports: [{ name: 'http', port: 80, targetPort: 8080 }] },
    },
    {
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      metadata,
      spec: {
        replicas: 0,
        selector: { matchLabels: labels },
        template: {
          metadata: { labels },
          spec: {
            containers: [{ name: 'app', image: 'example.test/app:1', ports: [{ containerPort: 8080 }] }],
          },
        },
      },
    },
  ];
}

/** A Kustomization of the bench's root source. */
export function kustomization(
  name: string,
  path: string,
  extra: Record<string, unknown> = {},
): KubernetesObject {
  return {
    apiVersion: 'kustomize.toolkit.fluxcd.io/v1',
    kind: 'Kustomization',
    metadata: { name, namespace: 'flux-system' },
    spec: {
      interval: '1h',
      path,
      prune: true,
      sourceRef: { kind: 'GitRepository', name: 'flux-system' },
      ...extra,
    },
  };
}

/** Objects as a multi-document file. */
export function toYaml(objects: readonly KubernetesObject[]): string {
  return objects.map((object) => stringify(object)).join('---\n');
}

/** `prefix-0001`, `prefix-0002`, … */
export function names(prefix: string, count: number): string[] {
  return Array.from({ length: count }, (_, index) => `${prefix}-${String(index + 1).padStart(4, '0')}`);
}
