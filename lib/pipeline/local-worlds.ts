import type { Engine } from '../render/engine.ts';
import type { LocalTree } from '../source/local-tree.ts';
import { guessRoots, type LocalRoot } from './local-roots.ts';
import type { Manifest } from './manifest-files.ts';
import { type World, walk } from './walk.ts';

/** A cluster of a repository, and everything that the repository brings to it. */
export interface LocalWorld {
  root: LocalRoot;
  world: World;
}

/**
 * Renders everything that a repository brings to its clusters, without them.
 * @param roots where clusters begin; undefined: guessed from the files
 */
export async function localWorlds(
  engine: Engine,
  tree: LocalTree,
  manifests: readonly Manifest[],
  roots?: readonly LocalRoot[],
): Promise<LocalWorld[]> {
  const worlds: LocalWorld[] = [];
  for (const root of roots ?? guessRoots(manifests))
    worlds.push({ root, world: await walk({ engine, tree, root: root.root, source: root.source }) });
  return worlds.filter((one) => !one.root.guessed || !isBroughtByOthers(one, worlds, manifests));
}

/** A directory that looked like the beginning of a cluster, but whose Kustomizations come by way of another one. */
function isBroughtByOthers(
  { root }: LocalWorld,
  worlds: readonly LocalWorld[],
  manifests: readonly Manifest[],
): boolean {
  const read = new Set<string>();
  for (const other of worlds.filter((one) => one.root !== root))
    for (const { closure } of other.world.renderings.values())
      for (const file of closure.files) read.add(file);
  const own = manifests.filter(
    ({ file, object }) =>
      object.kind === 'Kustomization' &&
      object.apiVersion.startsWith('kustomize.toolkit.fluxcd.io/') &&
      (root.name === '.' || file.startsWith(`${root.name}/`)),
  );
  return own.every(({ file }) => read.has(file));
}
