import { formatImageName, isTag } from '../core/image-name.ts';
import { RegistryError } from './registry-error.ts';
import type { RegistrySession } from './session.ts';

/** All tags of an image, in the order of the registry. */
export interface TagList {
  tags: string[];
  /** The list's `ETag`, where one answer held all of it: given back, an unchanged list is not sent again. */
  validator?: string;
}

/** How many tags are asked for at a time; registries may give fewer. */
const PAGE = 1_000;
const MAX_PAGES = 2_000;
const MAX_TAGS = 100_000;
const MAX_PAGE_BYTES = 16 * 1024 * 1024;

/**
 * Lists the tags of an image, page by page.
 * @param validator of the list that is known already
 * @returns undefined when the list is still the one with that validator
 * @throws RegistryError; a list is whole or it is none
 * @see https://github.com/opencontainers/distribution-spec/blob/v1.1.1/spec.md#listing-tags
 */
export async function listTags(session: RegistrySession, validator?: string): Promise<TagList | undefined> {
  const name = formatImageName(session.image);
  const tags = new Set<string>();
  let target: string | URL = `tags/list?n=${PAGE}`;
  let etag: string | undefined;
  for (let pages = 1; ; pages += 1) {
    const headers = {
      accept: 'application/json',
      ...(pages === 1 && validator !== undefined ? { 'if-none-match': validator } : {}),
    };
    const answer = await session.request({ target, headers, maxBytes: MAX_PAGE_BYTES });
    if (answer.status === 304) {
      if (pages === 1 && validator !== undefined) return undefined;
      throw new RegistryError('protocol', `${name}: the registry answered 304 to what it was not asked`);
    }
    const page = pageOf(answer.text(), name);
    const before = tags.size;
    for (const tag of page) if (isTag(tag)) tags.add(tag);
    if (tags.size > MAX_TAGS)
      throw new RegistryError('protocol', `${name} has over ${MAX_TAGS} tags, which is more than are listed`);
    if (pages === 1) etag = answer.headers.get('etag') ?? undefined;
    const next = nextPage(answer.headers.get('link'), answer.url, session.image.registry, name);
    const last = page.at(-1);
    // A full page without a link: some registries forget it. Where nothing new comes, that was all.
    const isGuess = next === undefined && page.length >= PAGE && tags.size > before && last !== undefined;
    if (next === undefined && !isGuess)
      return pages === 1 && etag !== undefined ? { tags: [...tags], validator: etag } : { tags: [...tags] };
    if (next !== undefined && tags.size === before && page.length > 0)
      throw new RegistryError(
        'protocol',
        `${name}: the registry gives the same page of tags again and again`,
      );
    if (pages >= MAX_PAGES)
      throw new RegistryError('protocol', `${name}: the list of tags does not end after ${MAX_PAGES} pages`);
    target = next ?? `tags/list?n=${PAGE}&last=${encodeURIComponent(last ?? '')}`;
  }
}

function pageOf(text: string, name: string): string[] {
  let body: unknown;
  try {
    body = JSON.parse(text);
  } catch {
    throw new RegistryError('protocol', `${name}: the registry's list of tags is no JSON; is it a registry?`);
  }
  const { tags } = (body ?? {}) as { tags?: unknown };
  if (tags === null || tags === undefined) return [];
  if (Array.isArray(tags)) return tags.filter((tag) => typeof tag === 'string');
  throw new RegistryError('protocol', `${name}: the registry's list of tags is no list`);
}

/** The next page as `Link` names it; only ever at the registry itself, or at the host that it had redirected to. */
function nextPage(link: string | null, from: string, registry: string, name: string): URL | undefined {
  for (const [, target = '', parameters = ''] of (link ?? '').matchAll(/<([^>]*)>([^,]*)/g)) {
    if (!/;\s*rel\s*=\s*"?next"?\s*(;|$)/i.test(parameters)) continue;
    const base = new URL(from);
    const next = URL.canParse(target, from) ? new URL(target, from) : undefined;
    const isSame =
      next && next.protocol === base.protocol && (next.host === base.host || next.host === registry);
    if (!isSame)
      throw new RegistryError(
        'refused',
        `${name}: the registry names ${next?.host ?? 'no valid address'} for the next page of tags; other hosts are not asked`,
      );
    return next;
  }
  return undefined;
}
