import type { KubernetesObject } from '../core/object.ts';
import { isInvalid, isNotFound, KubeError } from '../kube/errors.ts';
import { FENCE } from '../toolkit/annotations.ts';
import type { Decision } from './assess.ts';
import { beforeWrite, type Candidate, type Run, remember } from './run.ts';
import { carryOut } from './write.ts';

/**
 * Fences off what a worker that was cut off may have in hand, since it may only be frozen. Each of its writes names the resourceVersion
 * that it has read, and nobody may have written to an object since that is as it should be: then a deletion, say, that a newer commit
 * has taken back would be carried out whenever it comes. So such an object is changed and changed back, and has another resourceVersion.
 * Called after all else is written, so that workers which are cut off again and again still get further.
 */
export async function fence(run: Run, candidate: Candidate): Promise<void> {
  try {
    await beforeWrite(run);
    await annotate(run, candidate, run.options.fence ?? '');
    remember(run, candidate, await annotate(run, candidate, null));
  } catch (error) {
    // It came before the fence.
    if (isNotFound(error)) return carryOut(run, candidate, { kind: 'create' });
    if (!isRefused(error)) throw error;
  }
}

/** Whether an object is to be fenced off: late writes are expected, and it was found as it should be. */
export function isToBeFenced({ options }: Run, decision: Decision): boolean {
  if (options.fence === undefined) return false;
  return decision.kind === 'unchanged' || (decision.kind === 'skipped' && decision.isAccepted === true);
}

function annotate(run: Run, { ref }: Candidate, value: string | null): Promise<KubernetesObject> {
  const { fieldManager } = run.options;
  return run.client.patch(ref, 'merge', { metadata: { annotations: { [FENCE]: value } } }, { fieldManager });
}

/** Whether the cluster does not let us change the object: what it does not let us do now, it did not let the other one do. */
function isRefused(error: unknown): boolean {
  return isInvalid(error) || (error instanceof KubeError && error.code === 403);
}
