import { messageOf, ReconcileError } from '../core/errors.ts';
import type { HookJob } from '../core/job.ts';
import { parseToolkitObject } from '../toolkit/parse.ts';
import type { Receiver } from '../toolkit/receiver.ts';
import { isSuspended } from './change-reason.ts';
import type { Context } from './context.ts';
import { enqueue, reconcileJob } from './enqueue.ts';
import { tagsFor } from './hook-tags.ts';
import type { ToolkitRef } from './object-key.ts';
import { objectKey } from './object-key.ts';
import { compileFilters } from './receiver-filters.ts';
import { problemOf, targetsOf } from './receiver-targets.ts';
import { dropRequest, requestOf } from './send-hook.ts';
import type { WithStatus } from './status.ts';

const RECEIVER = { group: 'notification.toolkit.fluxcd.io', version: 'v1', kind: 'Receiver' };

/** For all filters of a call together, in ms: expressions of one tenant must not keep a worker. */
const FILTER_LIMIT_MS = 5_000;

/**
 * Does what a verified call of a Receiver asks for: a job for every object that the Receiver names and its filters want. The Receiver is
 * read anew, so that one that was suspended, changed or deleted meanwhile has no effect.
 */
export async function handleHook(ctx: Context, job: HookJob): Promise<void> {
  const log = ctx.log.child({
    hook: job.origin.id,
    cluster: job.cluster,
    object: objectKey({ ...RECEIVER, ...job }),
  });
  const cluster = await ctx.cluster(job.cluster);
  const { namespace, name } = job;
  const live = await cluster.client.get<WithStatus>({ ...RECEIVER, namespace, name });
  const receiver = live && asReceiver(live);
  if (!receiver || receiver.spec.type !== job.receiver) {
    log.warn('a call came to nothing: the Receiver is gone, suspended, invalid or of another type now');
    return dropRequest(ctx, job);
  }
  const request = await requestOf(ctx, job);
  // It is dropped last of all: the jobs have been sent.
  if (!request) return;
  const filters = compileFilters(receiver);
  const deadline = ctx.now() + FILTER_LIMIT_MS;
  const wanted = new Map<string, ToolkitRef>();
  for (const [index, resource] of receiver.spec.resources.entries()) {
    const problem = problemOf(receiver, resource, cluster.config.noCrossNamespaceRefs);
    if (problem !== undefined) {
      log.warn({ resource: `${resource.kind}/${resource.name}` }, `a resource has no effect: ${problem}`);
      continue;
    }
    const filter = filters[index];
    const targets = await targetsOf(cluster.client, receiver, resource, filter !== undefined);
    if (targets.length === 0)
      log.info({ resource: `${resource.kind}/${resource.name}` }, 'a resource names nothing that exists');
    for (const { ref, metadata } of targets) {
      const key = objectKey(ref);
      try {
        if (ctx.now() > deadline)
          throw new ReconcileError(
            'InvalidCELExpression',
            `the filters took longer than ${FILTER_LIMIT_MS} ms`,
          );
        const input = { res: metadata, req: request.value, ...(job.claims ? { claims: job.claims } : {}) };
        if (!filter || filter(input)) wanted.set(key, ref);
      } catch (error) {
        log.warn(
          { target: key, error: messageOf(error) },
          'a filter could not be evaluated; the object is left out',
        );
      }
    }
  }
  const { origin } = job;
  const jobs = await Promise.all(
    [...wanted.values()].map(async (ref) => {
      const tags = await tagsFor(cluster.client, job.receiver, request.value, ref);
      return tags.length === 0 ? [{ ref, tag: undefined }] : tags.map((tag) => ({ ref, tag }));
    }),
  );
  await enqueue(
    ctx,
    jobs.flat().map(({ ref, tag }) => ({
      job:
        tag === undefined
          ? reconcileJob(ctx, job.cluster, ref, 'request', { origin })
          : reconcileJob(ctx, job.cluster, ref, 'push', { origin, tag }),
    })),
  );
  await dropRequest(ctx, job);
  log.info({ objects: wanted.size }, 'called');
}

/** The Receiver, if it may have effects now. */
function asReceiver(object: WithStatus): Receiver | undefined {
  if (object.metadata.deletionTimestamp !== undefined || isSuspended(object)) return undefined;
  const parsed = parseToolkitObject(object);
  return parsed.ok ? (parsed.object as Receiver) : undefined;
}
