import type { GroupVersionKind } from '../core/object.ts';
import type { ApiResource } from './client.ts';
import type {
  AggregatedDocument,
  DiscoveredGroup,
  DiscoveredVersion,
  GroupListDocument,
  ResourceListDocument,
} from './discovery-documents.ts';
import { readAggregated, readGroupList, readResourceList } from './discovery-documents.ts';
import { KubeError } from './errors.ts';

/** One discovery document, or `unchanged` when the server says that the tag still holds. */
export type DiscoveryAnswer = { document: unknown; etag: string | undefined } | 'unchanged';

/** GETs a discovery path; throws a KubeError when the server refuses. */
export type FetchDiscovery = (path: string, etag: string | undefined) => Promise<DiscoveryAnswer>;

/** What one cluster serves, remembered until something unknown is asked for. */
export interface Discovery {
  resource(gvk: GroupVersionKind): Promise<ApiResource | undefined>;
  preferred(group: string, kind: string): Promise<ApiResource | undefined>;
  resources(): Promise<ApiResource[]>;
  invalidate(): void;
}

interface Snapshot {
  groups: Map<string, DiscoveredGroup>;
  /** By `group/version/kind`. */
  byKind: Map<string, ApiResource>;
}

interface Remembered {
  groups: DiscoveredGroup[];
  etag: string | undefined;
}

/**
 * Discovery over a client's own GET. Unknown kinds are looked up once more, by everybody who waits together in one look;
 * the server answers that with 304 as long as nothing changed. A kind that is missing from a group whose server could not
 * be asked is an error, never "not served": deciding that would make prune forget objects.
 */
export function createDiscovery(fetch: FetchDiscovery): Discovery {
  let snapshot: Snapshot | undefined;
  let looking: Promise<Snapshot> | undefined;
  let generation = 0;
  const remembered = new Map<string, Remembered>();

  async function aggregated(path: '/api' | '/apis'): Promise<DiscoveredGroup[] | GroupListDocument> {
    const before = remembered.get(path);
    const answer = await fetch(path, before?.etag);
    if (answer === 'unchanged') return before?.groups ?? [];
    const document = answer.document as AggregatedDocument | GroupListDocument;
    if (document.kind !== 'APIGroupDiscoveryList') return document as GroupListDocument;
    const groups = readAggregated(document as AggregatedDocument);
    remembered.set(path, { groups, etag: answer.etag });
    return groups;
  }

  async function version(group: string, name: string): Promise<DiscoveredVersion> {
    const path = group === '' ? `/api/${name}` : `/apis/${group}/${name}`;
    try {
      const answer = await fetch(path, undefined);
      const document = answer === 'unchanged' ? {} : (answer.document as ResourceListDocument);
      return { version: name, stale: false, resources: readResourceList(group, name, document) };
    } catch (error) {
      if (group === '' || !(error instanceof KubeError)) throw error;
      return { version: name, stale: true, resources: [] };
    }
  }

  async function groupsOf(path: '/api' | '/apis'): Promise<DiscoveredGroup[]> {
    const answer = await aggregated(path);
    if (Array.isArray(answer)) return answer;
    const groups =
      path === '/api' ? [{ group: '', versions: ['v1'] }] : readGroupList(answer as GroupListDocument);
    return Promise.all(
      groups.map(async ({ group, versions }) => ({
        group,
        versions: await Promise.all(versions.map((name) => version(group, name))),
      })),
    );
  }

  function look(): Promise<Snapshot> {
    if (looking !== undefined) return looking;
    const started = generation;
    const look = Promise.all([groupsOf('/api'), groupsOf('/apis')])
      .then(([core, groups]) => {
        const fresh = index([...core, ...groups]);
        if (generation === started) snapshot = fresh;
        return fresh;
      })
      .finally(() => {
        if (looking === look) looking = undefined;
      });
    looking = look;
    return look;
  }

  async function find<T>(pick: (from: Snapshot) => T | undefined, group: string): Promise<T | undefined> {
    if (snapshot) {
      const known = pick(snapshot);
      if (known !== undefined) return known;
    }
    const fresh = await look();
    const found = pick(fresh);
    if (found === undefined && fresh.groups.get(group)?.versions.some(({ stale }) => stale)) {
      throw new KubeError(
        503,
        `the server could not say what the API group ${group} serves: its API service is not available`,
      );
    }
    return found;
  }

  return {
    resource: (gvk) => find((from) => from.byKind.get(`${gvk.group}/${gvk.version}/${gvk.kind}`), gvk.group),
    preferred: (group, kind) => find((from) => preferredIn(from.groups.get(group), kind), group),
    resources: async () => {
      const current = snapshot ?? (await look());
      return [...current.groups.values()].flatMap(listable);
    },
    invalidate: () => {
      // A look that is under way may have started before what the caller knows of.
      generation++;
      looking = undefined;
      snapshot = undefined;
    },
  };
}

function index(groups: DiscoveredGroup[]): Snapshot {
  const byKind = new Map<string, ApiResource>();
  for (const { group, versions } of groups) {
    for (const { version, resources } of versions) {
      for (const resource of resources) {
        const key = `${group}/${version}/${resource.kind}`;
        // Where two resources have one kind, the one that can be read and written is meant.
        const other = byKind.get(key);
        if (other === undefined || resource.verbs.length > other.verbs.length) byKind.set(key, resource);
      }
    }
  }
  return { groups: new Map(groups.map((group) => [group.group, group])), byKind };
}

function preferredIn(group: DiscoveredGroup | undefined, kind: string): ApiResource | undefined {
  for (const { resources } of group?.versions ?? []) {
    const found = resources.find((resource) => resource.kind === kind);
    if (found) return found;
  }
  return undefined;
}

/** Each kind of a group that can be listed, once, in the first version that has it. */
function listable(group: DiscoveredGroup): ApiResource[] {
  const byPlural = new Map<string, ApiResource>();
  for (const { resources } of group.versions) {
    for (const resource of resources) {
      if (!byPlural.has(resource.plural) && resource.verbs.includes('list'))
        byPlural.set(resource.plural, resource);
    }
  }
  return [...byPlural.values()];
}
