import type { KubernetesObject } from '../core/object.ts';
import { parseApiVersion } from '../core/object.ts';
import { normaliseRepository } from '../core/repository.ts';
import type { FleetCluster } from '../fleet/cluster.ts';
import { ROOT_NAME, ROOT_NAMESPACE, rootObjects } from '../toolkit/bootstrap.ts';
import type { Manifest } from './manifest-files.ts';

/** Where a cluster begins in a repository. */
export interface LocalRoot {
  /** The cluster; without a fleet file the directory. */
  name: string;
  root: KubernetesObject;
  source: KubernetesObject;
  /** Nobody says that a cluster begins here: it only looks like it. What is missing may be anywhere. */
  guessed: boolean;
}

/**
 * The clusters of a fleet file whose root source is a repository.
 * @param remotes the URLs of its remotes; when none is the source of any cluster, all clusters are meant (a mirror, an export)
 */
export function rootsOfFleet(clusters: readonly FleetCluster[], remotes: readonly string[]): LocalRoot[] {
  const known = new Set(remotes.flatMap((url) => normaliseRepository(url) ?? []));
  const own = clusters.filter(({ source }) => known.has(normaliseRepository(source.url) ?? ''));
  return (own.length > 0 ? own : clusters).map((cluster) => {
    const [, source, root] = rootObjects(cluster) as [KubernetesObject, KubernetesObject, KubernetesObject];
    return { name: cluster.name, root, source, guessed: false };
  });
}

/**
 * The places in a repository where clusters seem to begin, when no fleet file says so: each `flux-system` Kustomization that
 * `flux bootstrap` left; without any, each topmost directory that holds Kustomizations.
 */
export function guessRoots(manifests: readonly Manifest[]): LocalRoot[] {
  const kustomizations = manifests.filter(({ object }) => isKind(object, 'kustomize', 'Kustomization'));
  const bootstrapped = kustomizations.filter(({ object }) => isRootNamed(object));
  if (bootstrapped.length > 0) {
    return bootstrapped.map(({ file, object }) => ({
      name: directoryOf(file),
      root: object,
      source: sourceBeside(manifests, file) ?? sourceFor(undefined),
      guessed: false,
    }));
  }
  const directories = [...new Set(kustomizations.map(({ file }) => directoryOf(file)))].sort();
  const topmost = directories.filter(
    (directory) => !directories.some((other) => other !== directory && isBelow(directory, other)),
  );
  return topmost.map((directory) => {
    const names = kustomizations.flatMap(({ file, object }) =>
      isBelow(directoryOf(file), directory) ? sourceNameOf(object) : [],
    );
    return {
      name: directory,
      root: rootFor(directory, names[0]),
      source: sourceFor(names[0]),
      guessed: true,
    };
  });
}

interface Name {
  name: string;
  namespace: string;
}

function rootFor(
  directory: string,
  source: Name = { name: ROOT_NAME, namespace: ROOT_NAMESPACE },
): KubernetesObject {
  return {
    apiVersion: 'kustomize.toolkit.fluxcd.io/v1',
    kind: 'Kustomization',
    metadata: { name: ROOT_NAME, namespace: ROOT_NAMESPACE },
    spec: {
      interval: '10m0s',
      path: `./${directory}`,
      prune: true,
      sourceRef: { kind: 'GitRepository', ...source },
    },
  };
}

function sourceFor(name: Name = { name: ROOT_NAME, namespace: ROOT_NAMESPACE }): KubernetesObject {
  return {
    apiVersion: 'source.toolkit.fluxcd.io/v1',
    kind: 'GitRepository',
    metadata: { ...name },
    spec: { interval: '1m0s', url: 'https://repository.invalid/this', ref: { branch: 'main' } },
  };
}

function sourceBeside(manifests: readonly Manifest[], file: string): KubernetesObject | undefined {
  const beside = manifests.filter(
    (other) =>
      directoryOf(other.file) === directoryOf(file) && isKind(other.object, 'source', 'GitRepository'),
  );
  return beside.find(({ object }) => isRootNamed(object))?.object;
}

/** The GitRepository that a Kustomization names. */
function sourceNameOf({ metadata, spec }: KubernetesObject): Name[] {
  const ref = (spec as { sourceRef?: { kind?: string; name?: string; namespace?: string } } | undefined)
    ?.sourceRef;
  if (ref?.kind !== 'GitRepository' || typeof ref.name !== 'string') return [];
  return [{ name: ref.name, namespace: ref.namespace ?? metadata.namespace ?? ROOT_NAMESPACE }];
}

function isRootNamed({ metadata }: KubernetesObject): boolean {
  return metadata.name === ROOT_NAME && metadata.namespace === ROOT_NAMESPACE;
}

function isKind({ apiVersion, kind }: KubernetesObject, group: string, name: string): boolean {
  return kind === name && parseApiVersion(apiVersion).group === `${group}.toolkit.fluxcd.io`;
}

function directoryOf(file: string): string {
  return file.includes('/') ? file.slice(0, file.lastIndexOf('/')) : '.';
}

function isBelow(directory: string, other: string): boolean {
  return directory === other || other === '.' || directory.startsWith(`${other}/`);
}
