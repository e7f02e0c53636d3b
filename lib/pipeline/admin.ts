import { messageOf } from '../core/errors.ts';
import type { DeadLetter, Queue } from '../queue/queue.ts';
import type { RunFilter, RunRecord } from '../store/runs.ts';
import { approve } from './approval.ts';
import type { Context, Core } from './context.ts';
import { enqueue, reconcileJob } from './enqueue.ts';
import { explainImage, type ImageExplanation } from './explain-image.ts';
import { kinds } from './kinds.ts';
import type { ToolkitRef } from './object-key.ts';
import { objectKey } from './object-key.ts';
import { resync } from './resync.ts';

/** A dead letter and the queue it lies in. */
export interface DeadJob extends DeadLetter {
  /** `push`, `notify` (commit statuses), `delay` (messages of any queue that were held back), or the name of a cluster. */
  queue: string;
}

/** What the operations need. */
export interface AdminContext extends Core, Pick<Context, 'cluster'> {
  /** Where messages are held back that could not be sent on; absent where every queue holds back its own. */
  delayed?: Pick<Queue, 'deadLetters' | 'redrive'>;
}

/** What an operator asks of an installation beside its clusters: what stands in its own store and queues. */
export interface Admin {
  runs(filter: RunFilter): Promise<RunRecord[]>;
  run(cluster: string, id: string): Promise<RunRecord | undefined>;
  deadLetters(): Promise<DeadJob[]>;
  /** Sends dead letters again (all, or those named) and returns how many. */
  redrive(ids?: readonly string[]): Promise<number>;
  /**
   * Allows the deletions of one render of one Kustomization, and runs it.
   * @throws Error when there is no such object in the cluster
   */
  approve(cluster: string, ref: ToolkitRef, digest: string): Promise<void>;
  /**
   * Sends a job for an object, for a request that nobody would see at once: where no watch tells of annotations the sweep does, later.
   * It does no harm where there is no such object.
   */
  request(cluster: string, ref: ToolkitRef): Promise<void>;
  /** Rebuilds the index of a cluster from what stands in it. Returns how many objects it has. */
  resync(cluster: string): Promise<number>;
  /** Why a policy has chosen its tag; undefined when the cluster has no such policy. */
  explainImage(cluster: string, ref: ToolkitRef): Promise<ImageExplanation | undefined>;
}

/** The operations, done by the process that holds the store. */
export function createAdmin(ctx: AdminContext): Admin {
  const { push, notify } = ctx.queues;
  const queues = () => [
    { name: 'push', queue: push },
    ...(notify ? [{ name: 'notify', queue: notify }] : []),
    ...(ctx.delayed ? [{ name: 'delay', queue: ctx.delayed }] : []),
    ...ctx.fleet.clusters.map(({ name }) => ({ name, queue: ctx.queues.cluster(name) })),
  ];
  const request = (cluster: string, ref: ToolkitRef) =>
    enqueue(ctx, [{ job: reconcileJob(ctx, cluster, ref, 'request') }]);
  return {
    runs: (filter) => ctx.index.runs.list(filter),
    run: (cluster, id) => ctx.index.runs.get(cluster, id),
    async deadLetters() {
      const found = await Promise.all(
        queues().map(async ({ name, queue }) =>
          (await naming(name, queue.deadLetters(1_000))).map((letter) => ({ ...letter, queue: name })),
        ),
      );
      return found.flat();
    },
    async redrive(ids) {
      const counts = await Promise.all(queues().map(({ name, queue }) => naming(name, queue.redrive(ids))));
      return counts.reduce((sum, count) => sum + count, 0);
    },
    async approve(cluster, ref, digest) {
      const { client } = await ctx.cluster(cluster);
      const object = await client.getMetadata({ ...ref, version: kinds[ref.kind]?.version ?? 'v1' });
      if (!object) throw new Error(`there is no ${objectKey(ref)} in cluster ${cluster}`);
      await approve(ctx, cluster, objectKey(ref), digest);
      await request(cluster, ref);
    },
    request,
    resync: (cluster) => resync(ctx, cluster),
    explainImage: (cluster, ref) => explainImage(ctx, cluster, ref),
  };
}

/** Says which queue a fault is about: one that was not deployed yet names nothing. */
function naming<T>(name: string, work: Promise<T>): Promise<T> {
  return work.catch((error: unknown) => {
    throw new Error(`the dead letters of ${name} cannot be reached: ${messageOf(error)}`, { cause: error });
  });
}
