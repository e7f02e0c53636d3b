import { stringify } from 'yaml';

/** YAML documents of objects. */
export function yaml(...objects: object[]): string {
  return objects.map((object) => stringify(object)).join('---\n');
}

/** A ConfigMap. */
export function configMap(name: string, namespace: string, data: Record<string, string>): object {
  return { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name, namespace }, data };
}

/** Several ConfigMaps in one file: `<prefix>-0` and on. */
export function configMaps(prefix: string, namespace: string, count: number): string {
  return yaml(
    ...Array.from({ length: count }, (_, index) =>
      configMap(`${prefix}-${index}`, namespace, { n: `${index}` }),
    ),
  );
}

/** A Namespace. */
export function namespace(name: string): object {
  return { apiVersion: 'v1', kind: 'Namespace', metadata: { name } };
}

/** A Kustomization of the Toolkit in `flux-system`, of the root source unless `spec` says otherwise. */
export function kustomization(
  name: string,
  path: string,
  spec: Record<string, unknown> = {},
  home = 'flux-system',
) {
  return {
    apiVersion: 'kustomize.toolkit.fluxcd.io/v1',
    kind: 'Kustomization',
    metadata: { name, namespace: home },
    spec: {
      interval: '10m',
      path,
      prune: true,
      sourceRef: { kind: 'GitRepository', name: 'flux-system' },
      ...spec,
    },
  };
}

/** A GitRepository of the Toolkit. */
export function gitRepository(name: string, home: string, url: string, spec: Record<string, unknown> = {}) {
  return {
    apiVersion: 'source.toolkit.fluxcd.io/v1',
    kind: 'GitRepository',
    metadata: { name, namespace: home },
    spec: { interval: '10m', url, ref: { branch: 'main' }, ...spec },
  };
}
