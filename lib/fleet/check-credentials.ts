import type { Problem } from '../core/validate.ts';
import { CLOUD_WAYS } from './cloud-cluster.ts';

/** Fields of a cluster that each say how it is reached. */
const WAYS = ['kubeconfig', ...CLOUD_WAYS] as const;

/**
 * What is wrong with how clusters are reached: each must be given one way.
 * @param fleet the file's content, of which other parts may be wrong
 */
export function checkCredentials(fleet: unknown): Problem[] {
  const clusters = (fleet as { clusters?: unknown } | null | undefined)?.clusters;
  if (!Array.isArray(clusters)) return [];
  return clusters.flatMap((cluster: unknown, index): Problem[] => {
    if (typeof cluster !== 'object' || cluster === null || Array.isArray(cluster)) return [];
    const [first, second] = WAYS.filter((way) => Object.hasOwn(cluster, way));
    if (first === undefined) return [problem(index, WAYS[0], 'is required')];
    return second === undefined ? [] : [problem(index, second, `cannot be given together with ${first}`)];
  });
}

function problem(index: number, field: string, message: string): Problem {
  return { path: ['clusters', index, field], message, unknown: false };
}
