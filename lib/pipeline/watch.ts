import { messageOf } from '../core/errors.ts';
import type { Trigger } from '../core/job.ts';
import { refOf } from '../core/object.ts';
import type { PartialObject } from '../kube/client.ts';
import { KubeError } from '../kube/errors.ts';
import { FINALIZER, REQUESTED_AT } from '../toolkit/annotations.ts';
import type { ClusterConnection, Context } from './context.ts';
import { enqueue, reconcileJob } from './enqueue.ts';
import { kinds } from './kinds.ts';

/** How long a new object is given to be taken up by a job that is on its way. */
const FRESH_MS = 1_000;

/** The pause after a watch broke, doubled each time up to the longest while the cluster stays away. */
const PAUSE_MS = 2_000;
const LONGEST_PAUSE_MS = 30_000;

/**
 * Watches the Toolkit objects of a cluster and sends a job as soon as one is changed, asked for or deleted there (`kubectl edit`,
 * `flux reconcile`). A hint only: what a broken watch misses, the sweep finds. Ends when the context's signal aborts.
 */
export async function watchCluster(ctx: Context, name: string): Promise<void> {
  await Promise.all(Object.keys(kinds).map((kind) => watchKind(ctx, name, kind)));
}

async function watchKind(ctx: Context, name: string, kindName: string): Promise<void> {
  let pause = PAUSE_MS;
  let told = '';
  while (!ctx.signal.aborted) {
    const began = ctx.now();
    try {
      await follow(ctx, await ctx.cluster(name), kindName);
    } catch (error) {
      if (ctx.signal.aborted) return;
      const expected = error instanceof KubeError && error.code === 410;
      const text = messageOf(error);
      // Once for each reason: a cluster that stays away must not fill the log.
      if (!expected && text !== told)
        ctx.log.warn({ cluster: name, kind: kindName, error: text }, 'the watch broke and is begun anew');
      told = text;
    }
    if (ctx.now() - began > LONGEST_PAUSE_MS) {
      pause = PAUSE_MS;
      told = '';
    }
    await ctx.sleep(pause, ctx.signal).catch(() => undefined);
    pause = told === '' ? PAUSE_MS : Math.min(pause * 2, LONGEST_PAUSE_MS);
  }
}

async function follow(ctx: Context, { client, config }: ClusterConnection, kindName: string): Promise<void> {
  const kind = kinds[kindName];
  if (!kind) return;
  const gvk = { group: kind.group, version: kind.version, kind: kindName };
  if (!(await client.resource(gvk))) return;
  const { items, resourceVersion } = await client.listMetadata(gvk);
  const seen = new Map(items.map(({ metadata }) => [metadata.uid, causesOf(metadata)]));
  const fresh = new Map<string | undefined, PartialObject>();
  // Metadata alone, since every status that a run writes comes by here too.
  const options = { resourceVersion, signal: ctx.signal };
  for await (const { type, object } of client.watchMetadata(gvk, options)) {
    if (type === 'BOOKMARK') continue;
    const { uid } = object.metadata;
    if (type === 'DELETED') {
      seen.delete(uid);
      fresh.delete(uid);
      await send(ctx, config.name, object, 'watch');
      continue;
    }
    const before = seen.get(uid);
    const causes = causesOf(object.metadata);
    seen.set(uid, causes);
    const isRequested = causes.requestedAt !== undefined && causes.requestedAt !== before?.requestedAt;
    // One that nobody has looked at yet is on its way already, sent by whoever applied it; or else the sweep sends it.
    if (!isTakenUp(object) && !isRequested && (type === 'ADDED' || fresh.has(uid))) {
      fresh.set(uid, object);
      if (type === 'ADDED') void sendIfStillFresh(ctx, config.name, fresh, uid);
      continue;
    }
    fresh.delete(uid);
    if (isRequested) await send(ctx, config.name, object, 'request');
    else if (causes.change !== before?.change) await send(ctx, config.name, object, 'watch');
  }
}

/** What of an object's metadata tells that it must run; only what is new to it is a new job. */
function causesOf({ annotations, generation, deletionTimestamp }: PartialObject['metadata']) {
  return { requestedAt: annotations?.[REQUESTED_AT], change: `${generation}|${deletionTimestamp}` };
}

/** Whether a run has put its finalizer on the object, or nobody needs to any more. */
function isTakenUp({ metadata }: PartialObject): boolean {
  return metadata.finalizers?.includes(FINALIZER) === true || metadata.deletionTimestamp !== undefined;
}

/** A new object that no run has taken up after a moment was made by somebody else (`kubectl apply`). */
async function sendIfStillFresh(
  ctx: Context,
  cluster: string,
  fresh: Map<string | undefined, PartialObject>,
  uid: string | undefined,
): Promise<void> {
  await ctx.sleep(FRESH_MS, ctx.signal).catch(() => undefined);
  const object = fresh.get(uid);
  fresh.delete(uid);
  if (!object || ctx.signal.aborted) return;
  await send(ctx, cluster, object, 'watch').catch((error: unknown) => {
    ctx.log.warn(
      { cluster, error: messageOf(error) },
      'a new object could not be sent on; the sweep finds it',
    );
  });
}

function send(ctx: Context, cluster: string, object: PartialObject, trigger: Trigger): Promise<void> {
  return enqueue(ctx, [{ job: reconcileJob(ctx, cluster, refOf(object), trigger) }]);
}
