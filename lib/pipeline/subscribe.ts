import { normaliseRepository } from '../core/repository.ts';
import type { Subscription } from '../store/subscriptions.ts';
import type { GitRepository } from '../toolkit/git-repository.ts';
import type { Context } from './context.ts';

/** Writes which source objects of a cluster watch which repository: what a push is fanned out by. */
export async function subscribe(
  ctx: Context,
  cluster: string,
  repositories: readonly GitRepository[],
): Promise<void> {
  const entries = repositories.flatMap((item) => subscriptionOf(cluster, item) ?? []);
  await ctx.index.subscriptions.replace(cluster, entries);
}

/** The same for one source, before its ref is looked at: a push from then on finds it, however new it is. */
export async function subscribeOne(ctx: Context, cluster: string, repository: GitRepository): Promise<void> {
  const entry = subscriptionOf(cluster, repository);
  if (entry) await ctx.index.subscriptions.put(entry);
}

function subscriptionOf(cluster: string, { spec, metadata }: GitRepository): Subscription | undefined {
  const repository = normaliseRepository(spec.url);
  if (repository === undefined || spec.suspend === true) return undefined;
  return {
    cluster,
    group: 'source.toolkit.fluxcd.io',
    kind: 'GitRepository',
    namespace: metadata.namespace ?? '',
    name: metadata.name,
    repository,
    ref: spec.ref ?? {},
  };
}
