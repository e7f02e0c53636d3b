import type { ApiResource } from './client.ts';
import { KubeError } from './errors.ts';

/** What a name in a path may be: what the API server accepts as a path segment, `:` of RBAC names included. */
const SEGMENT = /^[^/%\s?#]+$/;

const prefixes = new WeakMap<ApiResource, string>();

/** `/api/v1` or `/apis/apps/v1`, kept for each resource. */
function prefixOf(resource: ApiResource): string {
  let prefix = prefixes.get(resource);
  if (prefix === undefined) {
    prefix =
      resource.group === '' ? `/api/${resource.version}` : `/apis/${resource.group}/${resource.version}`;
    prefixes.set(resource, prefix);
  }
  return prefix;
}

/**
 * The path of a kind's collection.
 * @param namespace empty: all namespaces; ignored for cluster-scoped kinds
 */
export function collectionPath(resource: ApiResource, namespace: string): string {
  const prefix = prefixOf(resource);
  return resource.namespaced && namespace !== ''
    ? `${prefix}/namespaces/${segment(namespace)}/${resource.plural}`
    : `${prefix}/${resource.plural}`;
}

/**
 * The path of one object.
 * @throws KubeError 400 when a namespaced kind comes without a namespace: guessing `default` would write to the wrong place
 */
export function objectPath(resource: ApiResource, namespace: string, name: string): string {
  return `${writePath(resource, namespace, name)}/${segment(name)}`;
}

/** The path of the collection in which an object is created. Throws as {@link objectPath} does. */
export function writePath(resource: ApiResource, namespace: string, name: string): string {
  if (resource.namespaced && namespace === '') {
    throw new KubeError(400, `${resource.kind}/${name}: namespace not specified`);
  }
  return collectionPath(resource, namespace);
}

/** A name must never leave its place in the path. */
function segment(name: string): string {
  if (name === '' || name === '.' || name === '..' || !SEGMENT.test(name)) {
    throw new KubeError(400, `${JSON.stringify(name)} cannot be the name of an object or namespace`);
  }
  return encodeURIComponent(name);
}
