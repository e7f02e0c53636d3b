import { describe, expect, it } from 'vitest';
import { createDiscovery, type FetchDiscovery } from '../../../lib/kube/discovery.ts';
import { KubeError } from '../../../lib/kube/errors.ts';

const verbs = ['get', 'list'];

function resource(kind: string, plural: string, scope = 'Namespaced') {
  return { resource: plural, responseKind: { kind }, scope, verbs };
}

function aggregated(groups: { name?: string; versions: object[] }[]) {
  return {
    kind: 'APIGroupDiscoveryList',
    items: groups.map(({ name, versions }) => ({ metadata: { name }, versions })),
  };
}

const core = aggregated([
  { versions: [{ version: 'v1', resources: [resource('Namespace', 'namespaces', 'Cluster')] }] },
]);
const hpa = [resource('HorizontalPodAutoscaler', 'horizontalpodautoscalers')];
const autoscaling = {
  name: 'autoscaling',
  versions: [
    { version: 'v2', resources: hpa },
    { version: 'v1', resources: hpa },
  ],
};

/** Serves documents by path and remembers what was asked, with its tag. */
function serving(documents: Record<string, unknown>) {
  const asked: [path: string, etag: string | undefined][] = [];
  const fetch: FetchDiscovery = async (path, etag) => {
    asked.push([path, etag]);
    const document = documents[path];
    if (document === undefined) throw new KubeError(503, `${path} is not available`);
    const tag = `"${JSON.stringify(document).length}"`;
    return tag === etag ? 'unchanged' : { document, etag: tag };
  };
  return { asked, documents, discovery: createDiscovery(fetch) };
}

describe('discovery of a server that aggregates', () => {
  it('asks twice in all for any number of known kinds', async () => {
    const { asked, discovery } = serving({ '/api': core, '/apis': aggregated([autoscaling]) });
    const found = await Promise.all([
      discovery.resource({ group: '', version: 'v1', kind: 'Namespace' }),
      discovery.resource({ group: 'autoscaling', version: 'v1', kind: 'HorizontalPodAutoscaler' }),
      discovery.preferred('autoscaling', 'HorizontalPodAutoscaler'),
    ]);
    expect(found.map((one) => [one?.version, one?.plural, one?.namespaced])).toEqual([
      ['v1', 'namespaces', false],
      ['v1', 'horizontalpodautoscalers', true],
      ['v2', 'horizontalpodautoscalers', true],
    ]);
    expect(asked).toHaveLength(2);
  });

  it('looks once more for a kind that it does not know, and asks only what has changed', async () => {
    const { asked, documents, discovery } = serving({ '/api': core, '/apis': aggregated([autoscaling]) });
    const thing = { group: 'example.com', version: 'v1', kind: 'Thing' };
    expect(await discovery.resource(thing)).toBeUndefined();
    expect(asked.map(([, etag]) => etag)).toEqual([undefined, undefined]);
    documents['/apis'] = aggregated([
      autoscaling,
      { name: 'example.com', versions: [{ version: 'v1', resources: [resource('Thing', 'things')] }] },
    ]);
    const found = await Promise.all([discovery.resource(thing), discovery.resource(thing)]);
    expect(found.map((one) => one?.plural)).toEqual(['things', 'things']);
    expect(asked).toHaveLength(4);
    expect(asked[2]?.[1]).toBeDefined();
  });

  it('lists each kind once, in the preferred version, if it can be listed', async () => {
    const review = { ...resource('Review', 'reviews'), verbs: ['create'] };
    const { discovery } = serving({
      '/api': core,
      '/apis': aggregated([
        autoscaling,
        { name: 'auth', versions: [{ version: 'v1', resources: [review] }] },
      ]),
    });
    expect((await discovery.resources()).map(({ version, plural }) => `${version}/${plural}`)).toEqual([
      'v1/namespaces',
      'v2/horizontalpodautoscalers',
    ]);
  });

  it('throws instead of saying "not served" while the server of a group cannot be asked', async () => {
    const stale = {
      name: 'metrics.k8s.io',
      versions: [{ version: 'v1beta1', freshness: 'Stale', resources: [] }],
    };
    const { discovery } = serving({ '/api': core, '/apis': aggregated([stale]) });
    const metrics = { group: 'metrics.k8s.io', version: 'v1beta1', kind: 'PodMetrics' };
    await expect(discovery.resource(metrics)).rejects.toMatchObject({ code: 503 });
    expect(await discovery.resource({ ...metrics, group: 'other' })).toBeUndefined();
  });

  it('forgets all when it is told to, even what is being looked up', async () => {
    const { asked, documents, discovery } = serving({ '/api': core, '/apis': aggregated([]) });
    const early = discovery.resources();
    discovery.invalidate();
    documents['/apis'] = aggregated([autoscaling]);
    expect(await discovery.preferred('autoscaling', 'HorizontalPodAutoscaler')).toBeDefined();
    await early;
    expect(await discovery.preferred('autoscaling', 'HorizontalPodAutoscaler')).toBeDefined();
    expect(asked.length).toBeLessThanOrEqual(4);
  });

  it('asks again after a failure', async () => {
    const { documents, discovery } = serving({ '/api': core });
    await expect(discovery.resources()).rejects.toMatchObject({ code: 503 });
    documents['/apis'] = aggregated([]);
    expect(await discovery.resources()).toHaveLength(1);
  });
});

describe('discovery of an older server', () => {
  const list = (kind: string, plural: string) => ({
    kind: 'APIResourceList',
    resources: [
      { name: plural, kind, namespaced: true, verbs },
      { name: `${plural}/status`, kind, namespaced: true, verbs },
    ],
  });
  const documents = {
    '/api': { kind: 'APIVersions', versions: ['v1'] },
    '/api/v1': list('Pod', 'pods'),
    '/apis': {
      kind: 'APIGroupList',
      groups: [
        {
          name: 'apps',
          preferredVersion: { version: 'v1' },
          versions: [{ version: 'v1beta1' }, { version: 'v1' }],
        },
        { name: 'metrics.k8s.io', versions: [{ version: 'v1beta1' }] },
      ],
    },
    '/apis/apps/v1': list('Deployment', 'deployments'),
    '/apis/apps/v1beta1': list('Deployment', 'deployments'),
  };

  it('reads each group, the preferred version first, without subresources', async () => {
    const { discovery } = serving(documents);
    expect((await discovery.preferred('apps', 'Deployment'))?.version).toBe('v1');
    expect((await discovery.resource({ group: '', version: 'v1', kind: 'Pod' }))?.plural).toBe('pods');
  });

  it('goes on without a group that cannot be asked, but throws for its kinds', async () => {
    const { discovery } = serving(documents);
    expect(await discovery.resources()).toHaveLength(2);
    const metrics = { group: 'metrics.k8s.io', version: 'v1beta1', kind: 'PodMetrics' };
    await expect(discovery.resource(metrics)).rejects.toMatchObject({ code: 503 });
  });
});
