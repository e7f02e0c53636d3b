import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { healthOf } from '../../lib/apply/health/registry.ts';
import type { KubernetesObject } from '../../lib/core/object.ts';
import { createServiceAccountAccess, kubeconfigFor } from '../../lib/kube/access.ts';
import type { KubeClient } from '../../lib/kube/client.ts';
import { KubeError } from '../../lib/kube/errors.ts';
import { loadKubeconfig } from '../../lib/kube/kubeconfig.ts';
import { createKubeClient } from '../../lib/kube/rest.ts';
import { freshNamespace, useKubernetes } from '../support/cluster.ts';
import type { KubernetesConnection } from '../support/kubernetes.ts';

const CONFIG_MAP = { group: '', version: 'v1', kind: 'ConfigMap' };
const mine = { fieldManager: 'kustomize-controller', force: true };

let cluster: KubernetesConnection;
let client: KubeClient;
let namespace: string;

beforeAll(async () => {
  cluster = await useKubernetes();
  client = createKubeClient(cluster);
  namespace = await freshNamespace('kube-client');
});

afterAll(async () => {
  await client.close();
});

function configMap(name: string, data: Record<string, unknown> = { a: '1' }): KubernetesObject {
  return { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name, namespace, labels: { test: name } }, data };
}

function refOf(kind: string, name: string, group = '', version = 'v1') {
  return { group, version, kind, namespace, name };
}

async function errorOf(work: Promise<unknown>): Promise<KubeError> {
  const error = await work.catch((thrown: unknown) => thrown);
  if (error instanceof KubeError) return error;
  throw new Error(`expected a KubeError, got ${String(error)}`);
}

/** Looks until the condition holds; the test's own time limit ends it. */
async function eventually<T>(look: () => Promise<T | undefined>): Promise<T> {
  for (;;) {
    const found = await look();
    if (found !== undefined) return found;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

describe('objects', () => {
  it('are applied, read, changed and deleted as they are', async () => {
    const applied = await client.apply(configMap('life'), mine);
    expect(applied.metadata.managedFields?.[0]).toMatchObject({
      manager: 'kustomize-controller',
      operation: 'Apply',
    });
    expect(await client.get(refOf('ConfigMap', 'life'))).toMatchObject({
      kind: 'ConfigMap',
      data: { a: '1' },
    });

    const updated = await client.update({ ...applied, data: { a: '2' } });
    expect((await errorOf(client.update({ ...applied, data: { a: '3' } }))).code).toBe(409);
    await client.patch(refOf('ConfigMap', 'life'), 'merge', { data: { b: '1' } });
    await client.patch(refOf('ConfigMap', 'life'), 'json', [{ op: 'remove', path: '/data/a' }]);
    expect(await client.get(refOf('ConfigMap', 'life'))).toMatchObject({ data: { b: '1' } });

    const ref = refOf('ConfigMap', 'life');
    expect((await errorOf(client.delete(ref, { uid: 'another' }))).code).toBe(409);
    expect(await client.delete(ref, { uid: updated.metadata.uid ?? '', dryRun: true })).toBe(true);
    expect(await client.delete(ref, { uid: updated.metadata.uid ?? '' })).toBe(true);
    expect(await client.delete(ref)).toBe(false);
    expect(await client.get(ref)).toBeUndefined();
  });

  it('keep fields that no client of ours knows', async () => {
    await client.apply(
      {
        apiVersion: 'apiextensions.k8s.io/v1',
        kind: 'CustomResourceDefinition',
        metadata: { name: 'futures.kube-client.slipway.dev' },
        spec: {
          group: 'kube-client.slipway.dev',
          scope: 'Namespaced',
          names: { plural: 'futures', singular: 'future', kind: 'Future' },
          versions: [
            {
              name: 'v1',
              served: true,
              storage: true,
              subresources: { status: {} },
              schema: {
                openAPIV3Schema: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true },
              },
            },
          ],
        },
      },
      mine,
    );
    const crd = {
      group: 'apiextensions.k8s.io',
      version: 'v1',
      kind: 'CustomResourceDefinition',
      namespace: '',
      name: 'futures.kube-client.slipway.dev',
    };
    await eventually(async () => {
      const found = await client.get(crd);
      return found && healthOf(found).status === 'Current' ? found : undefined;
    });
    const gvk = { group: 'kube-client.slipway.dev', version: 'v1', kind: 'Future' };
    // Unknown before the definition was there: the client looks again by itself.
    await eventually(() => client.resource(gvk));
    const future: KubernetesObject = {
      apiVersion: 'kube-client.slipway.dev/v1',
      kind: 'Future',
      metadata: { name: 'x', namespace },
      spec: { futureField: { deep: [1, { newer: true }], big: 9_007_199_254_740_991 }, empty: {} },
    };
    await client.apply(future, mine);
    const stored = await client.get({ ...gvk, namespace, name: 'x' });
    expect(stored?.spec).toEqual(future.spec);

    const withStatus = await client.updateStatus({
      ...(stored as KubernetesObject),
      status: { phase: 'Done' },
    });
    expect(withStatus.status).toEqual({ phase: 'Done' });
    expect((await errorOf(client.updateStatus({ ...(stored as KubernetesObject), status: {} }))).code).toBe(
      409,
    );

    await client.delete(crd);
    // The kind goes away: then there is nothing left to get or list, and that is no error.
    await eventually(async () => {
      client.invalidate();
      return (await client.resource(gvk)) === undefined ? true : undefined;
    });
    expect(await client.get({ ...gvk, namespace, name: 'x' })).toBeUndefined();
    expect((await client.list(gvk)).items).toEqual([]);
    expect((await errorOf(client.apply(future, mine))).message).toContain('no matches for kind "Future"');
  });

  it('are only tried out with dryRun', async () => {
    const result = await client.apply(configMap('dry'), { ...mine, dryRun: true });
    expect(result.metadata.uid).toBeDefined();
    expect(await client.get(refOf('ConfigMap', 'dry'))).toBeUndefined();
  });
});

describe('refusals', () => {
  it('name the manager that owns a field', async () => {
    await client.apply(configMap('owned'), { fieldManager: 'other', force: true });
    const error = await errorOf(client.apply(configMap('owned', { a: '2' }), { ...mine, force: false }));
    expect(error).toMatchObject({ code: 409, reason: 'Conflict' });
    expect(error.message).toBe(
      `apply ConfigMap/${namespace}/owned: Apply failed with 1 conflict: conflict with "other": .data.a`,
    );
  });

  it('of what breaks the schema are the fault of the object', async () => {
    const typed = await errorOf(client.apply(configMap('bad', { a: 1 }), mine));
    expect(typed).toMatchObject({ code: 422, reason: 'Invalid' });
    const invalid = await errorOf(
      client.apply(
        {
          apiVersion: 'v1',
          kind: 'Service',
          metadata: { name: 'bad', namespace },
          spec: { ports: [{ port: 99_999 }] },
        },
        mine,
      ),
    );
    expect(invalid).toMatchObject({ code: 422, reason: 'Invalid' });
    expect(invalid.status?.details?.causes?.[0]?.field).toBe('spec.ports[0].port');
  });

  it('of immutable fields are recognisable', async () => {
    const deployment = (app: string): KubernetesObject => ({
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      metadata: { name: 'fixed', namespace },
      spec: {
        replicas: 0,
        selector: { matchLabels: { app } },
        template: { metadata: { labels: { app } }, spec: { containers: [{ name: 'a', image: 'a' }] } },
      },
    });
    await client.apply(deployment('one'), mine);
    const error = await errorOf(client.apply(deployment('two'), mine));
    expect(error.code).toBe(422);
    expect(error.message).toContain('field is immutable');
    expect(error.status?.details?.causes?.map(({ field }) => field)).toContain('spec.selector');
  });

  it('of Secrets never hold what the server echoes', async () => {
    const secret = (rest: object): KubernetesObject => ({
      apiVersion: 'v1',
      kind: 'Secret',
      metadata: { name: 'hidden', namespace },
      ...rest,
    });
    for (const rest of [
      { stringData: { password: 73_311_733 } },
      { data: { password: 'canary not base64!' } },
      { data: { password: ['canary-in-a-list'] } },
      { type: 'kubernetes.io/dockerconfigjson', stringData: { '.dockerconfigjson': 'canary{' } },
    ]) {
      for (const write of [() => client.apply(secret(rest), mine), () => client.create(secret(rest))]) {
        const error = await errorOf(write());
        expect(error.code).toBeGreaterThanOrEqual(400);
        expect(`${error.message} ${JSON.stringify(error.status)}`).not.toMatch(/73311733|canary/);
      }
    }
  });

  it('tell a missing namespace, a missing kind and a missing object apart', async () => {
    const lost = { ...configMap('x'), metadata: { name: 'x', namespace: 'does-not-exist' } };
    expect((await errorOf(client.apply(lost, mine))).status?.details?.kind).toBe('namespaces');
    expect((await errorOf(client.apply({ ...configMap('x'), kind: 'Nothing' }, mine))).message).toContain(
      'no matches for kind "Nothing" in version "v1"',
    );
    expect(await client.get(refOf('ConfigMap', 'missing'))).toBeUndefined();
    expect(
      await client.get({ ...refOf('ConfigMap', 'missing'), namespace: 'does-not-exist' }),
    ).toBeUndefined();
    expect(await client.get(refOf('Nothing', 'missing', 'example.com'))).toBeUndefined();
  });

  it('of unknown fields come however the server is asked to check what it is sent', async () => {
    const strange: KubernetesObject = {
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: { name: 'strict', namespace, futureField: 'x' },
    };
    for (const fieldValidation of [undefined, 'Ignore', 'Warn', 'Strict'] as const) {
      const asked = fieldValidation ? { ...mine, fieldValidation } : mine;
      expect((await errorOf(client.apply(strange, asked))).message).toContain('futureField');
    }
  });

  it('of another cluster’s certificate are not retried', async () => {
    const stranger = createKubeClient({ server: cluster.server, token: cluster.token });
    const error = await errorOf(stranger.raw('/version'));
    expect(error.code).toBe(0);
    expect(error.message).toMatch(/self-signed|certificate/);
    await stranger.close();
  });
});

describe('lists', () => {
  it('hold every object over several pages, whole or as metadata', async () => {
    const names = Array.from({ length: 620 }, (_, index) => `many-${index}`);
    const queue = [...names];
    await Promise.all(
      Array.from({ length: 16 }, async () => {
        for (let name = queue.pop(); name !== undefined; name = queue.pop()) {
          await client.apply(
            { ...configMap(name), metadata: { name, namespace, labels: { set: 'many' } } },
            mine,
          );
        }
      }),
    );
    const options = { namespace, labelSelector: 'set=many' };
    const whole = await client.list(CONFIG_MAP, options);
    expect(whole.items.map(({ metadata }) => metadata.name).sort()).toEqual([...names].sort());
    expect(whole.items[0]).toMatchObject({ apiVersion: 'v1', kind: 'ConfigMap', data: { a: '1' } });

    const { items } = await client.listMetadata(CONFIG_MAP, options);
    expect(items).toHaveLength(620);
    expect(Object.keys(items[0] ?? {})).toEqual(['apiVersion', 'kind', 'metadata']);
    expect(items[0]).toMatchObject({ apiVersion: 'v1', kind: 'ConfigMap' });
    expect(await client.getMetadata(refOf('ConfigMap', 'many-0'))).toMatchObject({
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: { name: 'many-0', managedFields: [{ manager: 'kustomize-controller' }] },
    });
  });

  it('can be made of everything that discovery names', async () => {
    const resources = await client.resources();
    expect(resources.length).toBeGreaterThan(40);
    const keys = resources.map(({ group, plural }) => `${group}/${plural}`);
    expect(new Set(keys).size).toBe(keys.length);
    await Promise.all(resources.map((resource) => client.listMetadata(resource, { namespace })));
    expect((await client.preferred('autoscaling', 'HorizontalPodAutoscaler'))?.version).toBe('v2');
  });
});

describe('watches', () => {
  it('see what happens after a list, and end when the caller aborts', async () => {
    const { resourceVersion } = await client.list(CONFIG_MAP, { namespace });
    const abort = new AbortController();
    const events: string[] = [];
    const watching = (async () => {
      const options = { namespace, labelSelector: 'test=watched', resourceVersion, signal: abort.signal };
      for await (const event of client.watch(CONFIG_MAP, options)) {
        events.push(`${event.type} ${event.object.metadata.name}`);
        if (event.type === 'DELETED') abort.abort();
      }
    })();
    await client.apply(configMap('watched'), mine);
    await client.apply(configMap('watched', { a: '2' }), mine);
    await client.delete(refOf('ConfigMap', 'watched'));
    await watching;
    expect(events).toEqual(['ADDED watched', 'MODIFIED watched', 'DELETED watched']);
  });

  it('do not take connections from requests', async () => {
    const narrow = createKubeClient(cluster, { connections: 1 });
    const abort = new AbortController();
    const watching = Array.from({ length: 3 }, async () => {
      const options = { namespace, resourceVersion: '0', signal: abort.signal };
      for await (const event of narrow.watch(CONFIG_MAP, options)) expect(event.type).not.toBe('ERROR');
    });
    expect(await narrow.raw('/version')).toMatchObject({ major: '1' });
    abort.abort();
    await Promise.all(watching);
    await narrow.close();
  });

  it('throw when the server refuses them', async () => {
    const refused = client
      .watch(CONFIG_MAP, { namespace, resourceVersion: 'nonsense' })
      [Symbol.asyncIterator]();
    expect((await errorOf(refused.next())).code).toBeGreaterThanOrEqual(400);
  });
});

describe('impersonation', () => {
  it('has the rights of that user and of its groups alone', async () => {
    const user = `system:serviceaccount:${namespace}:deployer`;
    const role = { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'edit' };
    const deployer = client.as(user, ['system:serviceaccounts', 'kube-client-editors']);
    expect((await errorOf(deployer.apply(configMap('as'), mine))).code).toBe(403);
    await client.apply(
      {
        apiVersion: 'rbac.authorization.k8s.io/v1',
        kind: 'RoleBinding',
        metadata: { name: 'editors', namespace },
        roleRef: role,
        subjects: [{ apiGroup: 'rbac.authorization.k8s.io', kind: 'Group', name: 'kube-client-editors' }],
      },
      mine,
    );
    await eventually(() => deployer.apply(configMap('as'), mine).catch(() => undefined));
    const elsewhere = { ...configMap('as'), metadata: { name: 'as', namespace: 'default' } };
    expect((await errorOf(deployer.apply(elsewhere, mine))).message).toContain(`User "${user}" cannot patch`);
  });
});

describe('access', () => {
  it('makes a service account whose kubeconfig works, and the same one when made again', async () => {
    const options = { namespace: `${namespace}-system`, name: 'slipway' };
    const access = await createServiceAccountAccess(client, options);
    expect(access.rights).toEqual(['everything in the whole cluster (ClusterRole cluster-admin)']);
    expect((await createServiceAccountAccess(client, options)).token).toBe(access.token);

    const text = kubeconfigFor({
      name: 'main',
      server: cluster.server,
      caData: cluster.caData,
      token: access.token,
    });
    const account = createKubeClient(loadKubeconfig(text, { name: 'main' }));
    const applied = await eventually(() =>
      account.apply(configMap('by-account'), mine).catch(() => undefined),
    );
    expect(applied.metadata.uid).toBeDefined();
    await account.close();
  });

  it('gives no more than the rules that were asked for', async () => {
    const access = await createServiceAccountAccess(client, {
      namespace: `${namespace}-reader`,
      name: 'reader',
      rules: [{ apiGroups: [''], resources: ['configmaps'], verbs: ['get', 'list'] }],
    });
    expect(access.rights).toEqual(['get, list: configmaps (core)']);
    const reader = createKubeClient({ ...cluster, token: access.token });
    await eventually(() => reader.list(CONFIG_MAP, { namespace }).catch(() => undefined));
    expect((await errorOf(reader.apply(configMap('no'), mine))).code).toBe(403);
    await reader.close();
  });
});
