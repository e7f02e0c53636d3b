import { ReconcileError } from '../core/errors.ts';
import { formatImageName, isTag } from '../core/image-name.ts';
import { excludeTags } from '../image/policy/exclude.ts';
import { compareText } from '../image/policy/order.ts';
import { PolicyError } from '../image/policy/pattern.ts';
import type { RemoteImage } from '../oci/registries.ts';
import { RegistryError } from '../oci/registry-error.ts';
import type { TagRecord } from '../store/image-tags.ts';
import type { ImageRepository } from '../toolkit/image-repository.ts';
import { imageNameOf } from './image-access.ts';

/** So long a list may lag behind a tag that was seen by itself, in ms. */
const LAG_MS = 10 * 60_000;

/** So many tags that were seen by themselves are looked for again when a list lacks them. */
const MAX_SEEN = 64;

/**
 * Lists all tags of an image. Tags that were seen a moment ago and are missing in the list are looked for one by one: a list may lag
 * behind, and a version must not seem to be gone because of that.
 * @param known what was listed last, of the same image
 * @param hint a tag that a webhook spoke of
 * @param now epoch in ms
 * @throws ReconcileError `ReadOperationFailed`
 */
export async function listAll(
  repository: ImageRepository,
  image: RemoteImage,
  known: TagRecord | undefined,
  hint: string | undefined,
  now: number,
): Promise<TagRecord> {
  const { exclusionList } = repository.spec;
  const isSameFilter = JSON.stringify(known?.exclusionList) === JSON.stringify(exclusionList);
  const recent = Object.entries(known?.seen ?? {}).filter(([, at]) => now - at < LAG_MS);
  const seen = Object.fromEntries(hint === undefined ? recent : [...recent, [hint, now]]);
  const list = await asked(() => image.tags(isSameFilter ? known?.validator : undefined));
  const listed = list ? filtered(list.tags, exclusionList) : (known?.tags ?? []);
  const missing = filtered(Object.keys(seen), exclusionList).filter((tag) => !listed.includes(tag));
  const validator = list ? list.validator : known?.validator;
  const there: string[] = [];
  for (const tag of missing.slice(-MAX_SEEN))
    if (await exists(image, tag)) there.push(tag);
    else delete seen[tag];
  return {
    image: formatImageName(imageNameOf(repository)),
    tags: sorted([...listed, ...there]),
    exclusionList,
    listedAt: now,
    ...(validator === undefined ? {} : { validator }),
    seen,
  };
}

/**
 * Looks for the one tag that a webhook spoke of, which costs one request however many tags there are. What it says is what the registry
 * answers now, not what the webhook said: a tag that is not there is taken out.
 * @throws ReconcileError `ReadOperationFailed`
 */
export async function lookFor(
  image: RemoteImage,
  known: TagRecord,
  tag: string,
  now: number,
): Promise<TagRecord> {
  if (filtered([tag], known.exclusionList).length === 0) return known;
  const isThere = await exists(image, tag);
  const others = known.tags.filter((other) => other !== tag);
  const seen = Object.fromEntries(
    Object.entries(known.seen)
      .filter(([other]) => other !== tag)
      .slice(1 - MAX_SEEN),
  );
  // What is known of the list as a whole does not hold any more.
  const { validator: _, ...rest } = known;
  return {
    ...rest,
    tags: isThere ? sorted([...others, tag]) : others,
    seen: isThere ? { ...seen, [tag]: now } : seen,
  };
}

/** A number over the list of tags, which changes with it: Adler-32 over its JSON, as the Toolkit's own. */
export function checksumOf(tags: readonly string[]): string {
  let [low, high] = [1, 0];
  for (const byte of Buffer.from(JSON.stringify(tags))) {
    low = (low + byte) % 65_521;
    high = (high + low) % 65_521;
  }
  return String(high * 65_536 + low);
}

/** Whether a hint can name a tag at all. */
export function usableHint(tag: string | undefined): string | undefined {
  return tag !== undefined && isTag(tag) ? tag : undefined;
}

async function exists(image: RemoteImage, tag: string): Promise<boolean> {
  return (await asked(() => image.resolve(tag))) !== undefined;
}

function filtered(tags: readonly string[], exclusionList: readonly string[]): string[] {
  try {
    return excludeTags(tags, exclusionList);
  } catch (error) {
    throw error instanceof PolicyError
      ? new ReconcileError('ReadOperationFailed', `scan failed: ${error.message}`, { outcome: 'stall' })
      : error;
  }
}

function sorted(tags: readonly string[]): string[] {
  return [...new Set(tags)].sort((a, b) => compareText(b, a));
}

/** Asks a registry; what it refuses becomes the failure of the scan. */
export async function asked<T>(ask: () => Promise<T>, what = 'scan failed'): Promise<T> {
  try {
    return await ask();
  } catch (error) {
    if (!(error instanceof RegistryError)) throw error;
    throw new ReconcileError('ReadOperationFailed', `${what}: ${error.message}`, {
      outcome: error.fault === 'refused' ? 'stall' : 'retry',
      ...(error.retryAfter === undefined ? {} : { retryAfter: error.retryAfter }),
      cause: error,
    });
  }
}
