import { normaliseRepository } from '../core/repository.ts';
import type { GitRepository } from '../toolkit/git-repository.ts';
import type { Context } from './context.ts';
import { objectKey } from './object-key.ts';

/** Writes which source objects of a cluster watch which repository: what a push is fanned out by. */
export async function subscribe(
  ctx: Context,
  cluster: string,
  repositories: readonly GitRepository[],
): Promise<void> {
  const entries = repositories.flatMap((item) => {
    const repository = normaliseRepository(item.spec.url);
    if (repository === undefined || item.spec.suspend === true) return [];
    const ref = {
      group: 'source.toolkit.fluxcd.io',
      kind: 'GitRepository',
      namespace: item.metadata.namespace ?? '',
      name: item.metadata.name,
    };
    return [{ ...ref, cluster, key: objectKey(ref), repository, ref: item.spec.ref ?? {} }];
  });
  await ctx.index.subscriptions.replace(cluster, entries);
}
