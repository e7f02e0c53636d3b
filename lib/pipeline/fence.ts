import type { Condition } from '../core/conditions.ts';
import { setCondition } from '../core/conditions.ts';
import { asSeen } from './finalize.ts';
import type { Run } from './run.ts';
import type { WithStatus } from './status.ts';

/**
 * Where the lease of an object ran out, its holder may be frozen just before it writes a status; nobody may have written to the object since,
 * and then the API server would take that write whenever it comes. So whoever takes over writes first: the resourceVersion that the
 * other one has read is no longer the newest. Readers of the object see why nothing happened for a while.
 * @returns the object as the server has it
 * @throws Outdated when the object is not as it was read
 */
export async function fence(run: Run, object: WithStatus): Promise<WithStatus> {
  if (!run.lease.ranOut) return object;
  const conditions = setCondition(
    (object.status?.conditions ?? []) as Condition[],
    {
      type: 'Reconciling',
      status: 'True',
      reason: 'Progressing',
      // Another message each time, so that it is a change each time.
      message: `run ${run.id} takes over from a worker that was cut off`,
    },
    run.ctx.now(),
    run.seen.generation,
  );
  return asSeen(run.client.updateStatus<WithStatus>({ ...object, status: { ...object.status, conditions } }));
}
