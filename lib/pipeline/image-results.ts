import type { ObjectRef } from '../core/object.ts';
import { refOf } from '../core/object.ts';
import { clusterPartition } from '../store/partitions.ts';
import type { ImagePolicy } from '../toolkit/image-policy.ts';
import type { Context } from './context.ts';
import { enqueue, reconcileJob } from './enqueue.ts';
import type { ToolkitRef } from './object-key.ts';
import { objectKey } from './object-key.ts';
import type { Run } from './run.ts';
import type { WithStatus } from './status.ts';

/** The API group of images. */
export const IMAGE_GROUP = 'image.toolkit.fluxcd.io';

/** The kinds of the group by their full names. */
export const IMAGE_REPOSITORY = { group: IMAGE_GROUP, version: 'v1', kind: 'ImageRepository' };
export const IMAGE_POLICY = { group: IMAGE_GROUP, version: 'v1', kind: 'ImagePolicy' };
export const IMAGE_UPDATE_AUTOMATION = { group: IMAGE_GROUP, version: 'v1', kind: 'ImageUpdateAutomation' };

/** What `spec.imageRepositoryRef` names. */
export function imageRepositoryRefOf({ spec, metadata }: ImagePolicy): ToolkitRef {
  const { name, namespace } = spec.imageRepositoryRef;
  const { group, kind } = IMAGE_REPOSITORY;
  return { group, kind, namespace: namespace ?? metadata.namespace ?? '', name };
}

/**
 * Sends a new result on to those who go by it, once: noted only after it was sent, so that a crash in between sends it twice, never not
 * at all. A run that somebody asked for sends it in any case.
 * @param result names the result; the same as the last time is not sent again
 * @returns whether it was sent
 */
export async function sendResult(
  run: Run,
  result: string,
  receivers: () => Promise<readonly ToolkitRef[]>,
): Promise<boolean> {
  const { ctx, job } = run;
  const key = objectKey(run.ref);
  const last = await ctx.index.rows.get<string>(partitionOf(job.cluster), key);
  if (last?.value === result && job.trigger !== 'request') return false;
  await sendTo(run, await receivers());
  await ctx.index.rows.put(partitionOf(job.cluster), key, result);
  return true;
}

/** A job for each of these objects. */
export async function sendTo(run: Run, refs: readonly ToolkitRef[]): Promise<void> {
  const { origin, cluster } = run.job;
  await enqueue(
    run.ctx,
    refs.map((ref) => ({ job: reconcileJob(run.ctx, cluster, ref, 'source', origin ? { origin } : {}) })),
  );
}

/** The policies of an ImageRepository, wherever they are; whether they may use it they find out themselves. */
export async function policiesOf(run: Run): Promise<(ImagePolicy & WithStatus)[]> {
  const { items } = await run.client.list<ImagePolicy & WithStatus>(IMAGE_POLICY);
  const own = objectKey(run.ref);
  return items.filter((item) => isActive(item) && objectKey(imageRepositoryRefOf(item)) === own);
}

/** The automations that may go by a policy: those of its namespace. Which policies they select they find out themselves. */
export async function automationsOf(run: Run): Promise<ObjectRef[]> {
  const { items } = await run.client.list<WithStatus>(IMAGE_UPDATE_AUTOMATION, {
    namespace: run.ref.namespace,
  });
  return items.filter(isActive).map(refOf);
}

/** Takes what is kept of an ImageRepository or ImagePolicy out of the index. */
export async function forgetImage(ctx: Context, cluster: string, key: string): Promise<void> {
  await ctx.index.imageTags.remove(cluster, key);
  await ctx.index.rows.delete(partitionOf(cluster), key);
}

function isActive({ spec, metadata }: WithStatus): boolean {
  return (spec as { suspend?: boolean }).suspend !== true && metadata.deletionTimestamp === undefined;
}

function partitionOf(cluster: string): string {
  return clusterPartition('image-results', cluster);
}
