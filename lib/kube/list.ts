import type { GroupVersionKind } from '../core/object.ts';
import { formatApiVersion } from '../core/object.ts';
import type { ListOptions, PartialObject } from './client.ts';
import { KubeError } from './errors.ts';

/** One page as the server sends it. */
export interface Page<T> {
  metadata?: { continue?: string; resourceVersion?: string };
  items?: T[] | null;
}

/** Gets one page; `expired` when its continue token is too old, `missing` when the kind is not served. */
export type GetPage<T> = (
  query: URLSearchParams,
  accepted: readonly number[],
) => Promise<Page<T> | 'expired' | 'missing'>;

const PAGE_SIZE = '500';
/** After that many restarts the collection changes faster than we read: ask for it in one piece. */
const RESTARTS = 2;

/**
 * Lists a collection page by page. A token that expired half-way starts the list over, so that what is returned is one
 * consistent view. The API server leaves `apiVersion` and `kind` out of the items of built-in kinds; they are filled in.
 * @see https://kubernetes.io/docs/reference/using-api/api-concepts/#retrieving-large-results-sets-in-chunks
 */
export async function listAll<T extends PartialObject>(
  gvk: GroupVersionKind,
  options: ListOptions | undefined,
  getPage: GetPage<T>,
): Promise<{ items: T[]; resourceVersion: string }> {
  const { kind } = gvk;
  const apiVersion = formatApiVersion(gvk);
  for (let restarts = 0; ; restarts++) {
    const items: T[] = [];
    let token: string | undefined;
    for (;;) {
      const query = new URLSearchParams();
      if (restarts < RESTARTS) query.set('limit', PAGE_SIZE);
      if (options?.labelSelector) query.set('labelSelector', options.labelSelector);
      if (options?.fieldSelector) query.set('fieldSelector', options.fieldSelector);
      if (token) query.set('continue', token);
      const page = await getPage(query, token ? [410] : []);
      if (page === 'missing') return { items: [], resourceVersion: '' };
      if (page === 'expired') break;
      if (!Array.isArray(page.items ?? [])) throw new KubeError(0, `list ${kind}: the answer is not a list`);
      for (const item of page.items ?? []) items.push({ ...item, apiVersion, kind });
      token = page.metadata?.continue;
      if (!token) return { items, resourceVersion: page.metadata?.resourceVersion ?? '' };
    }
  }
}
