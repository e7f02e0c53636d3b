import { sha256 } from '../core/digest.ts';
import { ReconcileError } from '../core/errors.ts';
import { describe } from '../core/object.ts';
import { every } from '../queue/timers.ts';
import type { SharedPartition } from '../store/partitions.ts';
import type { Context } from './context.ts';
import type { Run } from './run.ts';

/** What was pushed last to a branch by any automation. */
export interface PushedImages {
  /** The commit. */
  head: string;
  /** Digest over the files it has changed, with their contents. */
  digest: string;
  /** Epoch in ms. */
  at: number;
}

const PARTITION: SharedPartition = 'image-pushes';

/** A branch has one writer at a time, whatever the object or cluster; a dead one blocks it for at most this long. */
const LEASE_MS = 60_000;
/** As long as a push takes when the server is slow. */
const WAIT_MS = 20_000;
const LOOK_MS = 200;

/** What was pushed last to a branch; undefined when nothing is known. */
export async function lastPush(ctx: Context, branch: string): Promise<PushedImages | undefined> {
  return (await ctx.index.rows.get<PushedImages>(PARTITION, sha256(branch)))?.value;
}

/** Notes what was pushed. */
export async function notePush(ctx: Context, branch: string, pushed: PushedImages): Promise<void> {
  await ctx.index.rows.put(PARTITION, sha256(branch), pushed);
}

/**
 * Does the work while no other automation writes to the branch.
 * @param branch repository and branch
 * @param work gets a function that throws once the branch is not ours any more
 * @throws ReconcileError `GitOperationFailed` (wait) when another one keeps it for too long
 */
export async function asOnlyWriter<T>(
  run: Run,
  branch: string,
  work: (check: () => Promise<void>) => Promise<T>,
): Promise<T> {
  const { leases } = run.ctx.index;
  const name = `image-writes/${sha256(branch)}`;
  const until = run.ctx.now() + WAIT_MS;
  let lease = await leases.acquire(name, run.ctx.holder, LEASE_MS);
  while (!lease) {
    if (run.ctx.now() > until) throw taken(run);
    await run.ctx.sleep(LOOK_MS, run.signal);
    lease = await leases.acquire(name, run.ctx.holder, LEASE_MS);
  }
  const held = lease;
  // One that is lost is found out by the check before the next push.
  const renew = () => void leases.renew(held, LEASE_MS).catch(() => undefined);
  const stopRenewing = every(LEASE_MS / 3, renew, run.ctx.timers);
  try {
    return await work(async () => {
      if (!(await leases.check(held))) throw taken(run);
    });
  } finally {
    stopRenewing();
    await leases.release(held);
  }
}

function taken(run: Run): ReconcileError {
  return new ReconcileError(
    'GitOperationFailed',
    `${describe(run.ref)}: another automation is writing to the same branch; this one goes on afterwards`,
    { outcome: 'wait', retryAfter: 2_000 },
  );
}
