import { rfc3339 } from '../core/conditions.ts';
import { formatImageName } from '../core/image-name.ts';
import { refOf } from '../core/object.ts';
import type { RemoteImage } from '../oci/registries.ts';
import type { TagRecord } from '../store/image-tags.ts';
import type { ImageRepository } from '../toolkit/image-repository.ts';
import { intervalOf } from '../toolkit/intervals.ts';
import { imageNameOf, withImage } from './image-access.ts';
import { policiesOf, sendResult, sendTo } from './image-results.ts';
import { checksumOf, listAll, lookFor, usableHint } from './image-scan.ts';
import { objectKey } from './object-key.ts';
import { succeeded } from './outcome.ts';
import { hasUnhandledRequest, isReady } from './ready.ts';
import type { Reconciled } from './reconciled.ts';
import type { Run } from './run.ts';
import { step } from './run.ts';
import type { WithStatus } from './status.ts';

/** So many tags are shown in the status. */
const LATEST = 10;

/** A list is not due sooner than this, in ms. */
const SOONEST_MS = 1_000;

/** Triggers of runs that list all tags, whatever is known. */
const LISTING: ReadonlySet<string> = new Set(['due', 'retry', 'request']);

/**
 * Looks which tags an image has: all of them when it is due, was asked for or changed, or the one that a webhook spoke of. Policies that
 * go by it are sent on when the list has changed.
 */
export async function reconcileImageRepository(run: Run, object: ImageRepository): Promise<Reconciled> {
  const { ctx, job } = run;
  const key = objectKey(run.ref);
  const canonicalImageName = formatImageName(imageNameOf(object));
  const record = await ctx.index.imageTags.get(job.cluster, key);
  const known = record?.image === canonicalImageName ? record : undefined;
  const hint = usableHint(job.tag);
  const look = async (image: RemoteImage): Promise<TagRecord> => {
    if (known === undefined || mustList(run, object, known))
      return step(run, 'list', () => listAll(object, image, known, hint, ctx.now()));
    return hint === undefined ? known : step(run, 'look', () => lookFor(image, known, hint, ctx.now()));
  };
  const found = await withImage(run, object, look);
  if (found !== record) await step(run, 'store', () => ctx.index.imageTags.put(job.cluster, key, found));
  const revision = checksumOf(found.tags);
  const count = found.tags.length;
  const outcome = succeeded('Succeeded', `successful scan: found ${count} tags with checksum ${revision}`);
  const isListed = found.listedAt !== known?.listedAt;
  const nextMs = found.listedAt + intervalOf(object) - ctx.now();
  return {
    object,
    // Looking for single tags must not put off the next look at all of them.
    outcome: isListed ? outcome : { ...outcome, requeueAfterMs: Math.max(nextMs, SOONEST_MS) },
    status: (status) => ({
      ...status,
      canonicalImageName,
      observedExclusionList: object.spec.exclusionList,
      lastScanResult: {
        revision,
        tagCount: count,
        scanTime: rfc3339(found.listedAt),
        ...(count === 0 ? {} : { latestTags: found.tags.slice(0, LATEST) }),
      },
    }),
    afterwards: () => sendOn(run, `${canonicalImageName} ${revision}`, hint),
  };
}

/** Whether all tags are to be listed, and not just what a webhook spoke of. */
function mustList(run: Run, object: ImageRepository, known: TagRecord): boolean {
  if (LISTING.has(run.job.trigger) || hasUnhandledRequest(object as WithStatus)) return true;
  if (!isReady(object as WithStatus)) return true;
  return known.listedAt + intervalOf(object) <= run.ctx.now();
}

/** A changed list concerns every policy; a tag that was pushed anew, those that follow its digest. */
async function sendOn(run: Run, result: string, hint: string | undefined): Promise<void> {
  const isSent = await sendResult(run, result, async () => (await policiesOf(run)).map(refOf));
  if (isSent || hint === undefined) return;
  const following = (await policiesOf(run)).filter(
    ({ spec, status }) => spec.digestReflectionPolicy === 'Always' && status?.latestRef?.tag === hint,
  );
  await sendTo(run, following.map(refOf));
}
