import { normalize } from '../apply/normalize.ts';
import type { KubernetesObject } from '../core/object.ts';
import { refOf } from '../core/object.ts';
import { suggest } from '../core/suggest.ts';
import type { Engine } from '../render/engine.ts';
import type { LocalTree } from '../source/local-tree.ts';
import { OWNER_NAME, OWNER_NAMESPACE } from '../toolkit/annotations.ts';
import type { Kustomization } from '../toolkit/kustomization.ts';
import { parseToolkitObject } from '../toolkit/parse.ts';
import { maskEncrypted } from './encrypted.ts';
import { sourceRefOf } from './load-source.ts';
import type { LocalRoot } from './local-roots.ts';
import { localWorlds } from './local-worlds.ts';
import { readManifests } from './manifest-files.ts';
import { type Rendering, walk } from './walk.ts';

/** What a Kustomization of a local checkout renders to. */
export interface LocalBuild {
  key: string;
  cluster: string | undefined;
  /** As they would be applied: with the labels of their owner, encrypted values masked. */
  objects: KubernetesObject[];
  /** What is worth knowing of the result, such as variables that only a cluster knows. */
  notes: string[];
}

/** What to build. */
export interface BuildTarget {
  /** `name` or `namespace/name` of a Kustomization, or a directory such as `./apps/podinfo`. */
  name: string;
  /** A Kustomization that is not (or not like this) in the repository. */
  definition?: KubernetesObject;
  /** The cluster whose Kustomization is meant, where several have one of the name. */
  cluster?: string | undefined;
}

/**
 * Renders one Kustomization of a checkout without a cluster.
 * @param roots where clusters begin; undefined: guessed from the files
 * @throws Error when there is no such Kustomization, when several clusters have different ones of the name, or its build fails
 */
export async function buildLocal(
  engine: Engine,
  tree: LocalTree,
  roots: readonly LocalRoot[] | undefined,
  target: BuildTarget,
): Promise<LocalBuild> {
  if (target.definition) return buildDefinition(engine, tree, target.definition);
  const directory = directoryFor(tree, target.name);
  if (directory && /[./]/.test(target.name)) return buildDirectory(engine, tree, directory);
  const worlds = await localWorlds(engine, tree, readManifests(tree.files).manifests, roots);
  const chosen = worlds.filter(({ root }) => target.cluster === undefined || root.name === target.cluster);
  if (target.cluster !== undefined && chosen.length === 0) {
    const names = worlds.map(({ root }) => root.name).join(', ') || 'none';
    throw new Error(`there is no cluster ${target.cluster}; there are: ${names}`);
  }
  const known = new Set<string>();
  const failures: string[] = [];
  const found: LocalBuild[] = [];
  for (const { root, world } of chosen) {
    for (const rendering of world.renderings.values()) {
      const { key, state, error } = rendering;
      known.add(key);
      if (isNamed(rendering, target.name)) found.push(asBuild(rendering, root.name));
      else if (state === 'failed') failures.push(`${root.name}: ${key}: ${error}`);
    }
  }
  const [first, ...others] = found;
  if (!first && directory) return buildDirectory(engine, tree, directory);
  if (!first) throw notFound(target.name, [...known], failures);
  if (others.some(({ objects }) => JSON.stringify(objects) !== JSON.stringify(first.objects))) {
    const names = found.map(({ cluster }) => cluster).join(', ');
    throw new Error(`${first.key} differs between the clusters ${names}; choose one with --cluster`);
  }
  return first;
}

function notFound(name: string, known: readonly string[], failures: readonly string[]): Error {
  const meant = suggest(
    name,
    known.flatMap((key) => [key.split('/').at(-1) ?? '', key]),
  );
  const hint = meant === undefined ? `there are: ${known.join(', ') || 'none'}` : `did you mean ${meant}?`;
  const failed =
    failures.length > 0
      ? `\nThese failed, so that what they bring is not known:\n${failures.join('\n')}`
      : '';
  return new Error(`there is no Kustomization and no directory ${name} in the repository; ${hint}${failed}`);
}

/** Its source is the checkout, whatever it names. */
async function buildDefinition(
  engine: Engine,
  tree: LocalTree,
  definition: KubernetesObject,
): Promise<LocalBuild> {
  const parsed = parseToolkitObject(definition);
  if (!parsed.ok) throw new Error(parsed.errors.map(({ message }) => message).join('\n'));
  const { name, namespace } = sourceRefOf(parsed.object as Kustomization);
  const source = {
    apiVersion: 'source.toolkit.fluxcd.io/v1',
    kind: 'GitRepository',
    metadata: { name, namespace },
    spec: { interval: '1m', url: 'https://repository.invalid/this' },
  };
  const world = await walk({ engine, tree, root: definition, source });
  return asBuild(world.renderings.get(world.root) as Rendering, undefined);
}

/** A directory belongs to nobody, so its objects get no labels of an owner. */
async function buildDirectory(
  engine: Engine,
  tree: LocalTree,
  definition: KubernetesObject,
): Promise<LocalBuild> {
  const built = await buildDefinition(engine, tree, definition);
  const owned = new Set([OWNER_NAME, OWNER_NAMESPACE]);
  const objects = built.objects.map((object) => {
    const { labels = {}, ...metadata } = object.metadata;
    const own = Object.entries(labels).filter(([key]) => !owned.has(key));
    const kept = own.length > 0 ? { labels: Object.fromEntries(own) } : {};
    return { ...object, metadata: { ...metadata, ...kept } };
  });
  return { ...built, key: (definition.spec as { path: string }).path, objects };
}

/** A Kustomization that says nothing but the directory that somebody named; undefined when there is none. */
function directoryFor(tree: LocalTree, name: string): KubernetesObject | undefined {
  const path = name.replace(/^(\.\/)+/, '').replace(/\/+$/, '') || '.';
  const exists = path === '.' || Object.keys(tree.index).some((file) => file.startsWith(`${path}/`));
  if (!exists) return undefined;
  return {
    apiVersion: 'kustomize.toolkit.fluxcd.io/v1',
    kind: 'Kustomization',
    metadata: { name: 'local', namespace: 'flux-system' },
    spec: {
      interval: '10m',
      prune: true,
      path: `./${path}`,
      sourceRef: { kind: 'GitRepository', name: 'flux-system' },
    },
  };
}

function isNamed({ key, object }: Rendering, name: string): boolean {
  return (
    name === object.metadata.name ||
    name === key ||
    name === `${object.metadata.namespace}/${object.metadata.name}`
  );
}

function asBuild(
  { key, object, objects, state, error, notes, missingVariables }: Rendering,
  cluster: string | undefined,
): LocalBuild {
  if (state === 'failed') throw new Error(`${key}: ${error}`);
  if (state !== 'rendered')
    throw new Error(
      `${key} is not built from this repository, but from ${object.spec.sourceRef.kind} ${object.spec.sourceRef.name}`,
    );
  const { group } = refOf(object as unknown as KubernetesObject);
  const owner = {
    kind: 'Kustomization' as const,
    group,
    name: object.metadata.name,
    namespace: object.metadata.namespace ?? '',
  };
  const masked = objects.map(maskEncrypted);
  const encrypted = masked.filter((item, index) => item !== objects[index]).length;
  const open = missingVariables.map(
    (name) => `the variables of ${name} are not known here and stay as they are`,
  );
  const shown = encrypted > 0 ? [`${encrypted} objects are encrypted; their values are masked`] : [];
  return {
    key,
    cluster,
    objects: masked.map((item) => normalize(item, owner)),
    notes: [...notes, ...open, ...shown],
  };
}
