import type { Condition } from '../core/conditions.ts';
import { getCondition } from '../core/conditions.ts';
import type { Kustomization } from '../toolkit/kustomization.ts';
import { kustomizationsIn } from './kustomizations.ts';
import { isNamespaceGoing } from './namespace.ts';
import { keyOf } from './object-key.ts';
import { isReady } from './ready.ts';
import type { Run } from './run.ts';
import type { WithStatus } from './status.ts';

type Item = Kustomization & WithStatus;

/** What a revision makes of the Kustomizations that others apply. */
export interface Brought {
  /** Keys of those that are at work at the revision: which Kustomizations they bring, and what these depend on, is not in the cluster yet. */
  atWork: string[];
  /** Keys of Kustomizations that the revision leaves out, and that are there only until they may be deleted. */
  leftOut: string[];
}

/**
 * Whether a holder's run of the revision may have to apply something yet; one that has failed is tried again, and stays failed meanwhile. One
 * that somebody suspends goes on with nothing.
 */
export function mayBeAtWork(holder: Item): boolean {
  return !isReady(holder) && holder.spec.suspend !== true;
}

/**
 * Looks up what those that have come to a revision have made of it. An inventory does not tell: what is left out stands in it until it is
 * deleted, and that may wait for whoever asks.
 * @param holders Kustomizations that apply others, and have come to the revision
 * @param items all Kustomizations of the cluster
 */
export async function broughtBy(
  run: Run,
  revision: string,
  holders: readonly Item[],
  items: readonly Item[],
): Promise<Brought> {
  const { inputs } = run.ctx.index;
  const brought: Brought = { atWork: [], leftOut: [] };
  for (const holder of holders) {
    const record = await inputs.get(run.job.cluster, keyOf(holder));
    const isThrough = isReady(holder) || record?.revision === revision;
    if (!isThrough && mayBeAtWork(holder) && !(await isStuck(run, holder)))
      brought.atWork.push(keyOf(holder));
    // What another one holds may have moved there.
    const others = items.filter((item) => item !== holder);
    if (isThrough)
      brought.leftOut.push(
        ...(record?.leaving ?? []).filter((key) => !others.some((item) => holds(item, key))),
      );
  }
  return brought;
}

/** Whether a holder has failed, and may fail until the one that asks is gone: into a namespace that is being deleted nothing can be brought. */
async function isStuck(run: Run, { status }: Item): Promise<boolean> {
  const ready = getCondition(status?.conditions as Condition[] | undefined, 'Ready');
  return ready?.status === 'False' && (await isNamespaceGoing(run));
}

function holds({ status }: Item, key: string): boolean {
  return kustomizationsIn(status?.inventory?.entries ?? []).includes(key);
}
