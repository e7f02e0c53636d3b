import type { PruneOptions } from '../apply/prune.ts';
import { ROOT_NAME, ROOT_NAMESPACE } from '../toolkit/bootstrap.ts';
import type { Kustomization } from '../toolkit/kustomization.ts';
import { applyOptions } from './apply-options.ts';
import type { Claims } from './claims.ts';
import type { Run } from './run.ts';

/** The root objects of the fleet file and their namespace: without them nothing could be reconciled. */
export const ROOTS: PruneOptions['protectedRefs'] = [
  { group: '', kind: 'Namespace', namespace: '', name: ROOT_NAMESPACE },
  { group: 'source.toolkit.fluxcd.io', kind: 'GitRepository', namespace: ROOT_NAMESPACE, name: ROOT_NAME },
  { group: 'kustomize.toolkit.fluxcd.io', kind: 'Kustomization', namespace: ROOT_NAMESPACE, name: ROOT_NAME },
];

/**
 * How the objects of a Kustomization are deleted.
 * @param claims what others hold; none where the objects stand in another cluster
 * @param allowed somebody has approved what is lost along with them
 */
export function pruneOptions(
  run: Run,
  object: Kustomization,
  allowed: boolean,
  claims: Pick<Claims, 'claimed' | 'leaveToOthers'> | undefined,
): PruneOptions {
  const { owner, concurrency, signal, now, sleep, beforeWrite } = applyOptions(run, object, new Map());
  return {
    owner,
    concurrency,
    signal,
    now,
    ...(sleep ? { sleep } : {}),
    ...(beforeWrite ? { beforeWrite } : {}),
    protectedRefs: ROOTS,
    ...(claims ? { claimed: claims.claimed, leaveToOthers: claims.leaveToOthers } : {}),
    allowed,
  };
}
