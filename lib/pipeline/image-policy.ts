import { digestOf } from '../core/digest.ts';
import { ReconcileError } from '../core/errors.ts';
import { formatImageName } from '../core/image-name.ts';
import { describe } from '../core/object.ts';
import { chooseTag } from '../image/policy/choose.ts';
import { ChoiceError } from '../image/policy/order.ts';
import { PolicyError } from '../image/policy/pattern.ts';
import type { ImagePolicy } from '../toolkit/image-policy.ts';
import { formatImageRef, type ImageRef } from '../toolkit/image-ref.ts';
import type { ImageRepository } from '../toolkit/image-repository.ts';
import { enqueue, reconcileJob } from './enqueue.ts';
import { imageNameOf, withImage } from './image-access.ts';
import { loadImageRepository } from './image-reference.ts';
import { automationsOf, imageRepositoryRefOf, sendResult } from './image-results.ts';
import { asked } from './image-scan.ts';
import type { ToolkitRef } from './object-key.ts';
import { objectKey } from './object-key.ts';
import { succeeded } from './outcome.ts';
import type { Reconciled } from './reconciled.ts';
import type { Run } from './run.ts';
import { step } from './run.ts';
import { waitFor } from './waiting.ts';

/** Chooses the newest tag of an image among those that its ImageRepository has found. */
export async function reconcileImagePolicy(run: Run, object: ImagePolicy): Promise<Reconciled> {
  const ref = imageRepositoryRefOf(object);
  const repository = await loadImageRepository(run, object, ref);
  const tags = await knownTags(run, repository, ref);
  const tag = choose(object, tags);
  const before = object.status?.latestRef;
  const name = repository.spec.image;
  const digest = await step(run, 'digest', () => reflectedDigest(run, object, repository, ref, tag));
  const latest: ImageRef = { name, tag, ...(digest === undefined ? {} : { digest }) };
  const isNew = before === undefined || formatImageRef(before) !== formatImageRef(latest);
  const previous = isNew ? before : object.status?.observedPreviousRef;
  return {
    object,
    outcome: succeeded('Succeeded', messageOf(latest, previous)),
    status: ({ observedPreviousRef: _, ...status }) => ({
      ...status,
      latestRef: latest,
      ...(previous === undefined ? {} : { observedPreviousRef: previous }),
    }),
    afterwards: async () => void (await sendResult(run, digestOf(latest), () => automationsOf(run))),
  };
}

/**
 * The tags of the last scan.
 * @throws ReconcileError `DependencyNotReady` (wait) while there are none; the policy is released by the next scan
 */
async function knownTags(run: Run, repository: ImageRepository, ref: ToolkitRef): Promise<string[]> {
  const { ctx, job } = run;
  const image = formatImageName(imageNameOf(repository));
  const read = async () => {
    const record = await ctx.index.imageTags.get(job.cluster, objectKey(ref));
    return record?.image === image ? record.tags : undefined;
  };
  let tags = await read();
  if (tags === undefined || tags.length === 0) {
    // Noted first and looked at again: a scan that ends in between still releases us.
    await waitFor(ctx, job.cluster, run.ref, ref);
    tags = await read();
  }
  if (tags !== undefined && tags.length > 0) return tags;
  // Scanned by somebody else (Flux, before an adoption) or lost from our store: scan it again, then come back.
  const isLost = tags === undefined && repository.status?.lastScanResult !== undefined;
  if (isLost) await enqueue(ctx, [{ job: reconcileJob(ctx, job.cluster, ref, 'request') }]);
  throw new ReconcileError(
    'DependencyNotReady',
    `no tags in database: ${describe(ref)} ${isLost ? 'is scanned again' : 'has found no tags yet'}`,
    { outcome: 'wait' },
  );
}

function choose({ spec }: ImagePolicy, tags: readonly string[]): string {
  try {
    return chooseTag(spec, tags).latest.tag;
  } catch (error) {
    if (error instanceof PolicyError)
      throw new ReconcileError('InvalidPolicy', `invalid policy: ${error.message}`, { outcome: 'stall' });
    if (error instanceof ChoiceError) throw new ReconcileError('Failure', error.message);
    throw error;
  }
}

/** What `spec.digestReflectionPolicy` says that the status tells of the digest. */
async function reflectedDigest(
  run: Run,
  { spec, status }: ImagePolicy,
  repository: ImageRepository,
  ref: ToolkitRef,
  tag: string,
): Promise<string | undefined> {
  if (spec.digestReflectionPolicy === 'Never') return undefined;
  const name = repository.spec.image;
  const before = status?.latestRef;
  const isSame = before?.name === name && before.tag === tag && (before.digest ?? '') !== '';
  if (spec.digestReflectionPolicy === 'IfNotPresent' && isSame) return before.digest;
  const what = `failed fetching digest of ${name}:${tag}`;
  const digest = await withImage(run, repository, (image) => asked(() => image.resolve(tag), what));
  if (digest !== undefined) return digest;
  // The list is out of date.
  await enqueue(run.ctx, [{ job: reconcileJob(run.ctx, run.job.cluster, ref, 'source', { tag }) }]);
  throw new ReconcileError('ReadOperationFailed', `${what}: the registry has no such tag any more`);
}

function messageOf(latest: ImageRef, previous: ImageRef | undefined): string {
  const digest = latest.digest === undefined ? '' : ` with digest ${latest.digest}`;
  const isOther = previous !== undefined && formatImageRef(previous) !== formatImageRef(latest);
  const before = isOther ? ` (previously ${formatImageRef(previous)})` : '';
  return `Latest image tag for ${latest.name} resolved to ${latest.tag}${digest}${before}`;
}
