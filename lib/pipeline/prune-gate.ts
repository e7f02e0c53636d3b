import type { Condition } from '../core/conditions.ts';
import { getCondition } from '../core/conditions.ts';
import type { Kustomization } from '../toolkit/kustomization.ts';
import { sourceRefOf } from './load-source.ts';
import type { ToolkitRef } from './object-key.ts';
import { objectKey } from './object-key.ts';
import type { Run } from './run.ts';
import type { WithStatus } from './status.ts';

const KUSTOMIZATION = { group: 'kustomize.toolkit.fluxcd.io', version: 'v1', kind: 'Kustomization' };

/** Reasons that say that what a Kustomization holds at its revision is not known. */
const UNKNOWN_RENDER = new Set(['BuildFailed', 'ArtifactFailed']);

/**
 * Which other Kustomizations of the same source have not built this revision yet. Until they have, an object that left one of them may
 * turn out to have moved to another, and deleting it in between would lose what it holds (a volume, an address).
 * @returns their keys; empty: everything is known and pruning is safe
 */
export async function unbuilt(run: Run, source: ToolkitRef, revision: string): Promise<string[]> {
  const { items } = await run.client.list<Kustomization & WithStatus>(KUSTOMIZATION);
  const own = objectKey(run.ref);
  return items
    .map((item) => ({
      item,
      key: objectKey({
        kind: 'Kustomization',
        namespace: item.metadata.namespace ?? '',
        name: item.metadata.name,
      }),
    }))
    .filter(
      ({ item, key }) =>
        key !== own && objectKey(sourceRefOf(item)) === objectKey(source) && mayClaim(item, revision),
    )
    .map(({ key }) => key);
}

function mayClaim(item: Kustomization & WithStatus, revision: string): boolean {
  if (item.spec.suspend === true || item.metadata.deletionTimestamp !== undefined) return false;
  if (item.status?.lastAttemptedRevision !== revision) return true;
  const ready = getCondition(item.status.conditions as Condition[] | undefined, 'Ready');
  return ready?.status === 'False' && UNKNOWN_RENDER.has(ready.reason);
}
