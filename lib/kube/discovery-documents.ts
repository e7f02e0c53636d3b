import type { GroupVersionKind } from '../core/object.ts';
import type { ApiResource } from './client.ts';

/** One version of a group, as discovery lists it. */
export interface DiscoveredVersion {
  version: string;
  resources: ApiResource[];
  /** The server could not ask who serves it just now (an aggregated API that is down): what is missing may exist. */
  stale: boolean;
}

/** One API group; its versions in the server's order of preference. */
export interface DiscoveredGroup {
  group: string;
  versions: DiscoveredVersion[];
}

/** `APIGroupDiscoveryList` of apidiscovery.k8s.io v2 and v2beta1, as far as it is read. */
export interface AggregatedDocument {
  kind: 'APIGroupDiscoveryList';
  items?: {
    metadata?: { name?: string };
    versions?: {
      version: string;
      freshness?: string;
      resources?: {
        resource: string;
        responseKind?: Partial<GroupVersionKind>;
        scope?: string;
        verbs?: string[];
      }[];
    }[];
  }[];
}

/** `APIResourceList`, as far as it is read. */
export interface ResourceListDocument {
  resources?: { name: string; kind: string; namespaced: boolean; verbs?: string[] }[];
}

/** `APIGroupList`, as far as it is read. */
export interface GroupListDocument {
  kind?: string;
  groups?: {
    name: string;
    preferredVersion?: { version: string };
    versions: { version: string }[];
  }[];
}

/**
 * Reads aggregated discovery.
 * @see https://kubernetes.io/docs/concepts/overview/kubernetes-api/#aggregated-discovery
 */
export function readAggregated(document: AggregatedDocument): DiscoveredGroup[] {
  return (document.items ?? []).map((item) => {
    const group = item.metadata?.name ?? '';
    const versions = (item.versions ?? []).map(({ version, freshness, resources }) => ({
      version,
      stale: freshness === 'Stale',
      resources: (resources ?? [])
        .filter(({ responseKind }) => responseKind?.kind !== undefined)
        .map(({ resource, responseKind, scope, verbs }) => ({
          group,
          version,
          kind: responseKind?.kind ?? '',
          plural: resource,
          namespaced: scope === 'Namespaced',
          verbs: verbs ?? [],
        })),
    }));
    return { group, versions };
  });
}

/** Reads the resources of one group version; subresources (`pods/log`) are left out. */
export function readResourceList(
  group: string,
  version: string,
  document: ResourceListDocument,
): ApiResource[] {
  return (document.resources ?? [])
    .filter(({ name }) => !name.includes('/'))
    .map(({ name, kind, namespaced, verbs }) => ({
      group,
      version,
      kind,
      plural: name,
      namespaced,
      verbs: verbs ?? [],
    }));
}

/** The versions of each group, the preferred one first. */
export function readGroupList(document: GroupListDocument): { group: string; versions: string[] }[] {
  return (document.groups ?? []).map(({ name, preferredVersion, versions }) => {
    const all = versions.map(({ version }) => version);
    const first = preferredVersion?.version;
    return {
      group: name,
      versions: first === undefined ? all : [first, ...all.filter((version) => version !== first)],
    };
  });
}
