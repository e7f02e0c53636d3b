import { messageOf } from '../core/errors.ts';
import type { Trigger } from '../core/job.ts';
import { refOf } from '../core/object.ts';
import { commitOf } from '../core/revision.ts';
import type { GitRepository } from '../toolkit/git-repository.ts';
import type { Kustomization } from '../toolkit/kustomization.ts';
import { changeReason, isSuspended } from './change-reason.ts';
import { closeReceivers } from './close-receivers.ts';
import { checkWriter } from './cluster-writer.ts';
import type { ClusterConnection, Context } from './context.ts';
import { findDrift } from './drift.ts';
import { enqueue, reconcileJob } from './enqueue.ts';
import { healRollouts } from './heal-rollouts.ts';
import { kinds } from './kinds.ts';
import { sourceRefOf } from './load-source.ts';
import { missedImages } from './missed-images.ts';
import { noteIfNew } from './new-objects.ts';
import type { ToolkitRef } from './object-key.ts';
import { keyOf, objectKey } from './object-key.ts';
import { isNew, isReady } from './ready.ts';
import { ensureRoots } from './roots.ts';
import { loadSent, RESEND_MS } from './sent.ts';
import type { WithStatus } from './status.ts';
import { subscribe } from './subscribe.ts';
import { waitForAll } from './waiting.ts';

/** What a sweep found. */
export interface SweepReport {
  objects: number;
  /** Jobs sent, by why. */
  sent: Record<string, number>;
}

/**
 * Looks over one cluster: roots in place, subscriptions up to date, and a job for everything that is due, was changed, asked for,
 * deleted, has drifted, or missed a new revision of its source. It makes every lost event harmless. An object that is
 * due but has nothing to be done for only gets its next date.
 */
export async function sweep(ctx: Context, name: string): Promise<SweepReport> {
  const cluster = await ctx.cluster(name);
  await checkWriter(ctx, cluster);
  await ensureRoots(ctx, cluster);
  const objects = await listToolkitObjects(cluster);
  const repositories = objects.filter(({ kind }) => kind === 'GitRepository') as (GitRepository &
    WithStatus)[];
  const kustomizations = objects.filter(({ kind }) => kind === 'Kustomization') as (Kustomization &
    WithStatus)[];
  await subscribe(ctx, name, objects);
  await closeReceivers(ctx, name, objects);
  const due = await ctx.index.dueTimes.all(name);
  const local = kustomizations.filter(
    ({ spec, metadata }) => !spec.kubeConfig && !spec.suspend && !metadata.deletionTimestamp,
  );
  const drift = await findDrift(ctx, cluster, local);
  const revisions = await sentRevisions(ctx, name, repositories);
  const missed = missedImages(objects);
  const recent = await loadSent(ctx, name);
  for (const object of objects) noteIfNew(cluster, object);
  const held = heldBack(repositories, local);
  await waitForAll(ctx, name, held);
  const jobs: { ref: ToolkitRef; trigger: Trigger; why: string; cause: string }[] = [];
  const idle: WithStatus[] = [];
  for (const object of objects) {
    const key = keyOf(object);
    if (held.has(key)) continue;
    const drifted = isReady(object) ? drift.get(key) : undefined;
    const isDue = (due.get(key) ?? 0) <= ctx.now() && !isSuspended(object);
    const why =
      changeReason(object) ??
      missedRevision(object, revisions) ??
      (missed.has(key) ? 'new image' : undefined) ??
      drifted?.why ??
      (isDue && needsRun(object) ? 'due' : undefined);
    if (why === undefined) {
      if (isDue) idle.push(object);
      continue;
    }
    const { generation, resourceVersion } = object.metadata;
    const cause = [
      why,
      generation,
      resourceVersion,
      why === 'due' ? due.get(key) : (drifted?.seen ?? missed.get(key)),
    ].join('|');
    if (recent.has(key, cause, RESEND_MS)) continue;
    jobs.push({ ref: refOf(object), trigger: TRIGGERS[why] ?? 'sweep', why, cause });
  }
  jobs.push(...vanished(objects, due));
  await enqueue(
    ctx,
    jobs.map(({ ref, trigger }) => ({ job: reconcileJob(ctx, name, ref, trigger) })),
  );
  await healRollouts(ctx, cluster, objects);
  await recent.remember(new Map(jobs.map(({ ref, cause }) => [objectKey(ref), cause])));
  await ctx.index.dueTimes.setAll(
    name,
    new Map(idle.map((object) => [keyOf(object), ctx.now() + intervalMs(object)] as const)),
  );
  const sent: Record<string, number> = {};
  for (const { why } of jobs) sent[why] = (sent[why] ?? 0) + 1;
  return { objects: objects.length, sent };
}

/**
 * New Kustomizations whose source is as new: a run of theirs would only find that there is no artifact yet. They are released by the
 * source's first run when it succeeds; when it does not, the next sweep sends them, to say so.
 * @returns by key, what each waits for
 */
function heldBack(
  repositories: readonly (GitRepository & WithStatus)[],
  kustomizations: readonly (Kustomization & WithStatus)[],
): Map<string, { waiter: ToolkitRef; awaited: ToolkitRef }> {
  const fresh = new Set(repositories.filter((item) => isNew(item) && !isSuspended(item)).map(keyOf));
  return new Map(
    kustomizations
      .filter((item) => isNew(item) && fresh.has(objectKey(sourceRefOf(item))))
      .map((item) => [keyOf(item), { waiter: refOf(item), awaited: sourceRefOf(item) }]),
  );
}

/** Jobs for objects that the index knows and the cluster no longer has: nobody saw them go, and their runs forget them. */
function vanished(objects: readonly WithStatus[], due: ReadonlyMap<string, number>) {
  const present = new Set(objects.map(keyOf));
  return [...due.keys()].flatMap((key) => {
    const [kind = '', namespace = '', name = ''] = key.split('/');
    const group = kinds[kind]?.group;
    if (group === undefined || present.has(key)) return [];
    return [{ ref: { group, kind, namespace, name }, trigger: 'sweep' as const, why: 'gone', cause: 'gone' }];
  });
}

/** What the trigger of a job is called, by why it was sent; the rest is the sweep's own finding. */
const TRIGGERS: Readonly<Record<string, Trigger>> = {
  requested: 'request',
  due: 'due',
  'new image': 'source',
};

/** Runs a sweep and never throws: a cluster that cannot be reached is told in the log and tried at the next tick. */
export async function sweepSafely(ctx: Context, name: string): Promise<SweepReport | undefined> {
  try {
    const report = await sweep(ctx, name);
    if (Object.keys(report.sent).length > 0) ctx.log.info({ cluster: name, ...report }, 'swept');
    return report;
  } catch (error) {
    if (!ctx.signal.aborted)
      ctx.log.error(
        { cluster: name, error: messageOf(error) },
        'the sweep failed; it is tried again at the next tick',
      );
    return undefined;
  }
}

/** Every Toolkit object of a cluster that the pipeline reconciles. */
export async function listToolkitObjects({ client }: ClusterConnection): Promise<WithStatus[]> {
  const lists = await Promise.all(
    Object.entries(kinds).map(([kind, { group, version }]) =>
      client.list<WithStatus>({ group, version, kind }),
    ),
  );
  return lists.flatMap(({ items }) => items);
}

/** How long the run that stored an artifact may take to bring it to everything that depends on it. */
const BEING_SENT_MS = 60_000;

/** The revisions of sources by key, without those that are being brought to their dependants right now. */
async function sentRevisions(
  ctx: Context,
  cluster: string,
  repositories: readonly (GitRepository & WithStatus)[],
): Promise<Map<string, string | undefined>> {
  const entries = repositories.map(async (item): Promise<[string, string | undefined]> => {
    const key = keyOf(item);
    const { revision, digest, lastUpdateTime = '' } = item.status?.artifact ?? {};
    const isYoung = ctx.now() - Date.parse(lastUpdateTime) < BEING_SENT_MS;
    const sent = isYoung ? await ctx.index.rollouts.sent(cluster, key) : undefined;
    const isSent = !isYoung || (sent?.digest === digest && sent?.commit === commitOf(revision));
    return [key, isSent ? revision : undefined];
  });
  return new Map(await Promise.all(entries));
}

function missedRevision(
  object: WithStatus,
  revisions: ReadonlyMap<string, string | undefined>,
): string | undefined {
  if (object.kind !== 'Kustomization' || isSuspended(object)) return undefined;
  const revision = revisions.get(objectKey(sourceRefOf(object as unknown as Kustomization)));
  const attempted = object.status?.lastAttemptedRevision;
  // One that has never come as far as its source waits for a dependency, which releases it, or for its due time.
  return revision !== undefined && attempted !== undefined && attempted !== revision && isReady(object)
    ? 'new revision'
    : undefined;
}

/** Whether being due means work: a source must be asked, other inputs may have changed, or the last run did not succeed. */
function needsRun(object: WithStatus): boolean {
  if (object.kind !== 'Kustomization' || !isReady(object)) return true;
  const { spec } = object as unknown as Kustomization;
  return (
    spec.kubeConfig !== undefined ||
    spec.postBuild?.substituteFrom !== undefined ||
    spec.decryption !== undefined ||
    hasHealthChecks(spec)
  );
}

function hasHealthChecks(spec: Kustomization['spec']): boolean {
  return spec.wait === true || (spec.healthChecks ?? []).length > 0;
}

function intervalMs(object: WithStatus): number {
  return kinds[object.kind]?.intervalMs(object) ?? 0;
}
