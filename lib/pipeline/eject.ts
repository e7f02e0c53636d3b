import type { KubernetesObject } from '../core/object.ts';
import { describe, refOf } from '../core/object.ts';
import { isConflict, isNotFound } from '../kube/errors.ts';
import { FINALIZER } from '../toolkit/annotations.ts';
import { isRoot } from '../toolkit/bootstrap.ts';
import { removeHolder } from './cluster-writer.ts';
import type { ClusterConnection } from './context.ts';
import { listToolkitObjects } from './sweep.ts';

/** How often an object is read again over somebody else's change. */
const ATTEMPTS = 5;

/**
 * Lets go of everything in a cluster: every Toolkit object is suspended first, so that nobody acts on it any more, then loses the
 * finalizer by which its deletion would delete what it has applied. All workloads stay, and so do the objects themselves.
 * @param options `dryRun`: only say which
 * @returns the objects that were, or would be, let go; none when it was done before
 */
export async function eject(cluster: ClusterConnection, options: { dryRun: boolean }): Promise<string[]> {
  const all = await listToolkitObjects(cluster);
  const held = all.filter(({ metadata, spec }) => isHeld(metadata) || !isSuspended(spec));
  const names = held.map((object) => describe(refOf(object)));
  if (options.dryRun) return names;
  // The roots first: they would bring the others back as they stand in Git.
  const rootsFirst = held.toSorted((a, b) => Number(isRoot(refOf(b))) - Number(isRoot(refOf(a))));
  for (const object of rootsFirst) await change(cluster, object, suspension);
  for (const object of rootsFirst) await change(cluster, object, withoutFinalizer);
  await removeHolder(cluster);
  return names;
}

type Change = (object: KubernetesObject) => object | undefined;

const suspension: Change = ({ spec }) => (isSuspended(spec) ? undefined : { spec: { suspend: true } });

const withoutFinalizer: Change = ({ metadata }) => {
  if (!isHeld(metadata)) return undefined;
  const finalizers = (metadata.finalizers ?? []).filter((finalizer) => finalizer !== FINALIZER);
  return { metadata: { finalizers, resourceVersion: metadata.resourceVersion } };
};

async function change({ client }: ClusterConnection, object: KubernetesObject, by: Change): Promise<void> {
  const ref = refOf(object);
  for (let attempt = 1; ; attempt++) {
    const live = await client.get<KubernetesObject>(ref);
    const patch = live && by(live);
    if (!patch) return;
    try {
      await client.patch(ref, 'merge', patch);
      return;
    } catch (error) {
      if (isNotFound(error)) return;
      if (!isConflict(error) || attempt === ATTEMPTS) throw error;
    }
  }
}

function isHeld({ finalizers }: KubernetesObject['metadata']): boolean {
  return finalizers?.includes(FINALIZER) === true;
}

function isSuspended(spec: unknown): boolean {
  return (spec as { suspend?: boolean } | undefined)?.suspend === true;
}
