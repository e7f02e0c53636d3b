import type { Job, ReconcileJob } from '../core/job.ts';
import { groupOf } from '../core/job-group.ts';
import type { ObjectRef } from '../core/object.ts';
import type { OutgoingMessage } from '../queue/queue.ts';
import type { Core, Outlets } from './context.ts';

/** A queue delays a message for at most this long; what is due later goes to the due-time index. */
export const MAX_QUEUE_DELAY_MS = 15 * 60_000;

/** A job and how long to hold it back, in ms. */
export interface Enqueued {
  job: Job;
  delayMs?: number;
  /** Jobs of a group with the same one within five minutes are one job. Default: its own. */
  deduplicationId?: string;
}

/**
 * Sends jobs; resolves once all are durable. The deduplication id names this request and not the commit: a commit may
 * rightly come twice within the five minutes for which SQS FIFO remembers an id (A → B → A).
 */
export async function enqueue(
  ctx: Pick<Core, 'newId'> & { queues: Outlets },
  items: readonly Enqueued[],
): Promise<void> {
  const byQueue = new Map<Outlets['push'], OutgoingMessage[]>();
  for (const { job, delayMs, deduplicationId = ctx.newId() } of items) {
    const queue = queueOf(ctx.queues, job);
    // Where a loop looks into the outboxes, nobody has to be told.
    if (!queue) continue;
    const messages = byQueue.get(queue) ?? [];
    messages.push({
      group: groupOf(job),
      deduplicationId,
      body: JSON.stringify(job),
      ...(delayMs === undefined ? {} : { delayMs: Math.min(delayMs, MAX_QUEUE_DELAY_MS) }),
    });
    byQueue.set(queue, messages);
  }
  await Promise.all([...byQueue].map(([queue, messages]) => queue.send(messages)));
}

/** A job for one object. */
export function reconcileJob(
  ctx: Pick<Core, 'now'>,
  cluster: string,
  ref: Pick<ObjectRef, 'group' | 'kind' | 'namespace' | 'name'>,
  trigger: ReconcileJob['trigger'],
  extra: Partial<Pick<ReconcileJob, 'origin' | 'commit' | 'pushedAt' | 'tag'>> = {},
): ReconcileJob {
  const { group, kind, namespace, name } = ref;
  return {
    type: 'reconcile',
    cluster,
    group,
    kind,
    namespace,
    name,
    trigger,
    requestedAt: ctx.now(),
    ...extra,
  };
}

function queueOf(queues: Outlets, job: Job): Outlets['push'] | undefined {
  if (job.type === 'notify') return queues.notify;
  return 'cluster' in job ? queues.cluster(job.cluster) : queues.push;
}
