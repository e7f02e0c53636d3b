import { messageOf } from '../core/errors.ts';
import { refOf } from '../core/object.ts';
import { KubeError } from '../kube/errors.ts';
import { changeReason } from './change-reason.ts';
import type { ClusterConnection, Context } from './context.ts';
import { enqueue, reconcileJob } from './enqueue.ts';
import { kinds } from './kinds.ts';
import { isNew } from './ready.ts';
import type { WithStatus } from './status.ts';

/** How long a new object is given to be taken up by a job that is on its way. */
const NEW_MS = 1_000;

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
  const { resourceVersion } = await client.listMetadata(gvk);
  const sent = new Map<string, string>();
  const latest = new Map<string, WithStatus>();
  for await (const { type, object } of client.watch<WithStatus>(gvk, {
    resourceVersion,
    signal: ctx.signal,
  })) {
    if (type === 'BOOKMARK') continue;
    const { uid = '', deletionTimestamp, generation, annotations } = object.metadata;
    if (type === 'DELETED') {
      sent.delete(uid);
      latest.delete(uid);
      await enqueue(ctx, [{ job: reconcileJob(ctx, config.name, refOf(object), 'watch') }]);
      continue;
    }
    const reason = changeReason(object);
    if (reason === undefined) continue;
    // One that nobody has looked at yet is on its way already, sent by whoever applied it; or else the sweep sends it.
    if (isNew(object) && reason === 'changed') {
      latest.set(uid, object);
      if (type === 'ADDED') void sendIfStillNew(ctx, config.name, latest, uid);
      continue;
    }
    latest.delete(uid);
    // Each status write of the run that this causes comes by here too; only a new cause is a new job.
    const cause = [
      reason,
      deletionTimestamp,
      generation,
      annotations?.['reconcile.fluxcd.io/requestedAt'],
    ].join('|');
    if (sent.get(uid) === cause) continue;
    sent.set(uid, cause);
    await enqueue(ctx, [
      { job: reconcileJob(ctx, config.name, refOf(object), reason === 'requested' ? 'request' : 'watch') },
    ]);
  }
}

/** A new object that has no status after a moment was made by somebody else (`kubectl apply`). */
async function sendIfStillNew(
  ctx: Context,
  cluster: string,
  latest: Map<string, WithStatus>,
  uid: string,
): Promise<void> {
  await ctx.sleep(NEW_MS, ctx.signal).catch(() => undefined);
  const object = latest.get(uid);
  latest.delete(uid);
  if (!object || ctx.signal.aborted || (object.metadata.finalizers ?? []).length > 0) return;
  await enqueue(ctx, [{ job: reconcileJob(ctx, cluster, refOf(object), 'watch') }]).catch(
    (error: unknown) => {
      ctx.log.warn(
        { cluster, error: messageOf(error) },
        'a new object could not be sent on; the sweep finds it',
      );
    },
  );
}
