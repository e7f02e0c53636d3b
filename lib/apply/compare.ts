import { isDeepStrictEqual } from 'node:util';
import type { KubernetesObject } from '../core/object.ts';
import { isMap } from './pointer.ts';

/** What of an object counts as its state: all but status and the server's metadata. */
function stateOf(object: KubernetesObject): Record<string, unknown> {
  const { metadata, status: _status, ...body } = object;
  return {
    ...body,
    metadata: { labels: metadata.labels ?? {}, annotations: metadata.annotations ?? {} },
  };
}

/**
 * The paths at which an object differs from what an apply would make of it, as Flux sees it: labels, annotations and
 * everything outside `metadata` and `status`. Paths only, never values.
 * @param limit how many paths to name at most
 * @returns empty when nothing has drifted
 */
export function driftedPaths(live: KubernetesObject, dryRun: KubernetesObject, limit = 8): string[] {
  const paths: string[] = [];
  compare(stateOf(live), stateOf(dryRun), '', paths, limit);
  return paths;
}

function compare(a: unknown, b: unknown, path: string, paths: string[], limit: number): void {
  if (paths.length >= limit || isDeepStrictEqual(a, b)) return;
  if (isMap(a) && isMap(b)) {
    for (const key of new Set([...Object.keys(a), ...Object.keys(b)])) {
      compare(a[key], b[key], join(path, key), paths, limit);
    }
  } else if (Array.isArray(a) && Array.isArray(b) && a.length === b.length) {
    for (const [index, item] of a.entries()) compare(item, b[index], `${path}[${index}]`, paths, limit);
  } else {
    paths.push(path);
  }
}

function join(path: string, key: string): string {
  if (/[.[\]/]/.test(key)) return `${path}["${key}"]`;
  return path === '' ? key : `${path}.${key}`;
}
