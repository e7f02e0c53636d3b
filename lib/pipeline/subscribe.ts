import { canonicalImage } from '../core/image-reference.ts';
import type { KubernetesObject } from '../core/object.ts';
import { gvkOf } from '../core/object.ts';
import { normaliseRepository } from '../core/repository.ts';
import { imageSubscription, type Subscription } from '../store/subscriptions.ts';
import { isSuspended } from './change-reason.ts';
import type { Context } from './context.ts';

/** What an object watches, by its spec, which nobody has checked yet. @returns undefined when that cannot be read */
type Watched = (
  spec: Readonly<Record<string, unknown>>,
) => Pick<Subscription, 'repository' | 'ref'> | undefined;

/** The kinds that pushes are fanned out to. */
const WATCHED: Readonly<Record<string, Watched>> = {
  GitRepository({ url, ref }) {
    const repository = normaliseRepository(textOf(url));
    return repository === undefined ? undefined : { repository, ref: (ref ?? {}) as Subscription['ref'] };
  },
  ImageRepository({ image: name }) {
    const image = canonicalImage(textOf(name));
    return image === undefined ? undefined : { repository: imageSubscription(image), ref: {} };
  },
};

/**
 * Writes which objects of a cluster watch which repository: what a push is fanned out by.
 * @param objects all Toolkit objects of the cluster
 */
export async function subscribe(
  ctx: Pick<Context, 'index'>,
  cluster: string,
  objects: readonly KubernetesObject[],
): Promise<void> {
  const entries = objects.flatMap((item) => subscriptionOf(cluster, item) ?? []);
  await ctx.index.subscriptions.replace(cluster, entries);
}

/** The same for one object of any kind. */
export async function subscribeOne(
  ctx: Pick<Context, 'index'>,
  cluster: string,
  object: KubernetesObject,
): Promise<void> {
  const entry = subscriptionOf(cluster, object);
  if (entry) await ctx.index.subscriptions.put(entry);
}

function subscriptionOf(cluster: string, object: KubernetesObject): Subscription | undefined {
  const { group, kind } = gvkOf(object);
  const spec = (object.spec ?? {}) as Readonly<Record<string, unknown>>;
  const watched = Object.hasOwn(WATCHED, kind) && !isSuspended(object) ? WATCHED[kind]?.(spec) : undefined;
  if (!watched) return undefined;
  const { namespace = '', name } = object.metadata;
  return { cluster, group, kind, namespace, name, ...watched };
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? value : '';
}
