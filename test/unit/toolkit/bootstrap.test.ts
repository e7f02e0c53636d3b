import { describe, expect, test } from 'vitest';
import type { KubernetesObject } from '../../../lib/core/object.ts';
import { refOf } from '../../../lib/core/object.ts';
import { FleetCluster } from '../../../lib/fleet/cluster.ts';
import {
  isFluxController,
  isNeverPruned,
  isRoot,
  isToolkitCrd,
  rootObjects,
} from '../../../lib/toolkit/bootstrap.ts';
import { customResourceDefinitions } from '../../../lib/toolkit/crd.ts';
import { parseToolkitObject } from '../../../lib/toolkit/parse.ts';

const FLUX = { 'app.kubernetes.io/part-of': 'flux', 'app.kubernetes.io/instance': 'flux-system' };

function object(
  apiVersion: string,
  kind: string,
  name: string,
  labels?: Record<string, string>,
): KubernetesObject {
  return { apiVersion, kind, metadata: { name, namespace: 'flux-system', ...(labels ? { labels } : {}) } };
}

describe('isFluxController', () => {
  test.each([
    ['apps/v1', 'Deployment', 'kustomize-controller'],
    ['v1', 'Service', 'source-controller'],
    ['v1', 'ServiceAccount', 'helm-controller'],
    ['v1', 'ResourceQuota', 'critical-pods-flux-system'],
    ['networking.k8s.io/v1', 'NetworkPolicy', 'allow-egress'],
    ['rbac.authorization.k8s.io/v1', 'ClusterRole', 'crd-controller-flux-system'],
    ['rbac.authorization.k8s.io/v1', 'ClusterRoleBinding', 'cluster-reconciler-flux-system'],
  ])('holds for the %s %s %s of a bootstrap', (apiVersion, kind, name) => {
    expect(isFluxController(object(apiVersion, kind, name, FLUX))).toBe(true);
    expect(isFluxController(object(apiVersion, kind, name))).toBe(false);
    expect(isFluxController(object(apiVersion, kind, name, { 'app.kubernetes.io/part-of': 'shop' }))).toBe(
      false,
    );
  });

  test.each([
    ['v1', 'Namespace', 'flux-system'],
    ['apiextensions.k8s.io/v1', 'CustomResourceDefinition', 'gitrepositories.source.toolkit.fluxcd.io'],
    ['v1', 'ConfigMap', 'dashboards'],
    ['monitoring.coreos.com/v1', 'PodMonitor', 'flux-system'],
    ['kustomize.toolkit.fluxcd.io/v1', 'Kustomization', 'flux-system'],
    ['example.com/v1', 'Deployment', 'x'],
  ])('does not hold for the %s %s %s', (apiVersion, kind, name) => {
    expect(isFluxController(object(apiVersion, kind, name, FLUX))).toBe(false);
  });
});

describe('isToolkitCrd', () => {
  test('holds for all definitions of the Toolkit, supported or not', () => {
    for (const crd of customResourceDefinitions()) expect(isToolkitCrd(crd)).toBe(true);
    expect(
      isToolkitCrd(
        object('apiextensions.k8s.io/v1', 'CustomResourceDefinition', 'helmreleases.helm.toolkit.fluxcd.io'),
      ),
    ).toBe(true);
    expect(
      isToolkitCrd(
        object(
          'apiextensions.k8s.io/v1',
          'CustomResourceDefinition',
          'artifactgenerators.source.extensions.fluxcd.io',
        ),
      ),
    ).toBe(true);
  });

  test('does not hold for others', () => {
    expect(
      isToolkitCrd(
        object('apiextensions.k8s.io/v1', 'CustomResourceDefinition', 'certificates.cert-manager.io'),
      ),
    ).toBe(false);
    expect(isToolkitCrd(object('v1', 'ConfigMap', 'gitrepositories.source.toolkit.fluxcd.io'))).toBe(false);
  });
});

describe('rootObjects', () => {
  function cluster(source: object) {
    return FleetCluster.parse({
      name: 'staging',
      kubeconfig: 'env:KUBECONFIG_STAGING',
      source: { url: 'https://git.example.com/fleet.git', path: './clusters/staging', ...source },
    });
  }

  test('are a namespace, a source and a Kustomization, and valid', () => {
    const [namespace, repository, kustomization] = rootObjects(
      cluster({ branch: 'main', interval: '2m', prune: false }),
    );
    expect(namespace).toEqual({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'flux-system' } });
    expect(repository).toMatchObject({
      metadata: { name: 'flux-system', namespace: 'flux-system' },
      spec: { url: 'https://git.example.com/fleet.git', ref: { branch: 'main' }, interval: '2m' },
    });
    expect(kustomization).toMatchObject({
      metadata: { name: 'flux-system', namespace: 'flux-system' },
      spec: {
        path: './clusters/staging',
        prune: false,
        sourceRef: { kind: 'GitRepository', name: 'flux-system' },
      },
    });
    for (const one of [repository, kustomization])
      expect(parseToolkitObject(one as KubernetesObject).ok).toBe(true);
  });

  test.each([
    [{}, { branch: 'main' }],
    [{ tag: 'v1' }, { tag: 'v1' }],
    [{ semver: '>=1' }, { semver: '>=1' }],
    [{ name: 'refs/heads/x' }, { name: 'refs/heads/x' }],
    [
      { branch: 'x', commit: 'a'.repeat(40) },
      { branch: 'x', commit: 'a'.repeat(40) },
    ],
  ])('follow %j', (source, ref) => {
    expect(rootObjects(cluster(source))[1]?.spec).toMatchObject({ ref });
  });

  test('and the Toolkit definitions are never pruned', () => {
    const kept = [...rootObjects(cluster({})), ...customResourceDefinitions()];
    for (const one of kept) expect(isNeverPruned(refOf(one))).toBe(true);
    expect(kept.filter((one) => isRoot(refOf(one))).map(({ kind }) => kind)).toEqual([
      'GitRepository',
      'Kustomization',
    ]);
    for (const other of [
      { group: '', kind: 'Namespace', namespace: '', name: 'apps' },
      { group: '', kind: 'ConfigMap', namespace: 'flux-system', name: 'flux-system' },
      { group: 'kustomize.toolkit.fluxcd.io', kind: 'Kustomization', namespace: 'apps', name: 'flux-system' },
      { group: 'kustomize.toolkit.fluxcd.io', kind: 'Kustomization', namespace: 'flux-system', name: 'apps' },
    ])
      expect(isNeverPruned(other)).toBe(false);
  });
});
