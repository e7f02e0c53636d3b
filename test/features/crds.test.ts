import { request } from 'node:https';
import { json } from 'node:stream/consumers';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import type { KubernetesObject } from '../../lib/core/object.ts';
import { createKubeClient } from '../../lib/kube/rest.ts';
import { compareCrd, lostFields, upgradeCrd } from '../../lib/toolkit/compatibility.ts';
import { customResourceDefinitions } from '../../lib/toolkit/crd.ts';
import { parseToolkitObject } from '../../lib/toolkit/parse.ts';
import { kinds } from '../../lib/toolkit/registry.ts';
import { kubeCall, kubeRequest } from '../support/kube-request.ts';
import { type Kubernetes, startKubernetes } from '../support/kubernetes.ts';
import { mutate, mutation, samples } from '../support/toolkit-samples.ts';

const CRDS = '/apis/apiextensions.k8s.io/v1/customresourcedefinitions';
const APPLY = 'application/apply-patch+yaml';

/** A control plane of its own: other tests have other versions of the same definitions. */
let cluster: Kubernetes;

beforeAll(async () => {
  cluster = await startKubernetes();
  for (const crd of customResourceDefinitions()) await install(crd);
});

afterAll(async () => {
  await cluster?.stop();
});

/** Applies a CustomResourceDefinition and waits until its kind is served. */
async function install(crd: KubernetesObject): Promise<void> {
  const path = `${CRDS}/${crd.metadata.name}`;
  await kubeCall(cluster, 'PATCH', `${path}?fieldManager=slipway&force=true`, crd, APPLY);
  const { group, names } = crd.spec as { group: string; names: { plural: string } };
  const served = async () =>
    (await kubeRequest(cluster, 'GET', `/apis/${group}/v1/${names.plural}`)).status === 200;
  await vi.waitUntil(served, { timeout: 30_000, interval: 50 });
}

function pathOf(object: KubernetesObject): string {
  const kind = kinds.find((one) => one.kind === object.kind);
  return `/apis/${object.apiVersion}/namespaces/default/${kind?.plural}/${object.metadata.name}`;
}

/** Server-side apply that refuses unknown fields. */
function apply(object: KubernetesObject, dryRun = false) {
  const query = `?fieldManager=test&force=true&fieldValidation=Strict${dryRun ? '&dryRun=All' : ''}`;
  return kubeRequest<KubernetesObject & { message?: string }>(
    cluster,
    'PATCH',
    `${pathOf(object)}${query}`,
    object,
    APPLY,
  );
}

function kustomization(name: string, spec: object): KubernetesObject {
  return {
    apiVersion: 'kustomize.toolkit.fluxcd.io/v1',
    kind: 'Kustomization',
    metadata: { name, namespace: 'default' },
    spec: { interval: '1m', prune: true, sourceRef: { kind: 'GitRepository', name: 'app' }, ...spec },
  };
}

describe('the generated definitions', () => {
  test('are accepted as structural, without any complaint of the API server', async () => {
    for (const crd of customResourceDefinitions()) {
      const live = await kubeCall<{
        status: { conditions: { type: string; status: string; message: string }[] };
      }>(cluster, 'GET', `${CRDS}/${crd.metadata.name}`);
      const of = (type: string) => live.status.conditions.find((condition) => condition.type === type);
      expect(of('NonStructuralSchema')).toBeUndefined();
      expect(of('NamesAccepted')?.status).toBe('True');
      expect(of('Established')?.status).toBe('True');
    }
  });

  test('applied a second time change nothing', async () => {
    for (const crd of customResourceDefinitions()) {
      const path = `${CRDS}/${crd.metadata.name}`;
      const before = await kubeCall<KubernetesObject>(cluster, 'GET', path);
      await kubeCall(cluster, 'PATCH', `${path}?fieldManager=slipway&force=true`, crd, APPLY);
      const after = await kubeCall<KubernetesObject>(cluster, 'GET', path);
      expect(after.metadata.resourceVersion).toBe(before.metadata.resourceVersion);
    }
  });

  test('give discovery the short names, categories and the status subresource that kubectl and the flux CLI use', async () => {
    const discover = (group: string) =>
      kubeCall<{ resources: { name: string; shortNames?: string[]; categories?: string[] }[] }>(
        cluster,
        'GET',
        `/apis/${group}/v1`,
      );
    expect((await discover('kustomize.toolkit.fluxcd.io')).resources).toMatchObject([
      { name: 'kustomizations', shortNames: ['ks'], categories: ['all', 'fluxcd', 'fluxcd-appliers'] },
      { name: 'kustomizations/status' },
    ]);
    expect((await discover('source.toolkit.fluxcd.io')).resources).toMatchObject([
      { name: 'gitrepositories', shortNames: ['gitrepo'], categories: ['all', 'fluxcd', 'fluxcd-sources'] },
      { name: 'gitrepositories/status' },
    ]);
  });

  test('refuse an apply with a field that there is not, however the server is asked to check what it is sent', async () => {
    const client = createKubeClient(cluster);
    const strange = kustomization('strange', { pathh: './app' });
    await expect(client.apply(strange, { fieldManager: 'test', force: true })).rejects.toThrow('pathh');
    await client.close();
  });

  test('print the columns that users of the Toolkit know', async () => {
    await apply(kustomization('columns', {}));
    const ready = {
      type: 'Ready',
      status: 'True',
      reason: 'ReconciliationSucceeded',
      message: 'Applied revision: main@sha1:abc',
      lastTransitionTime: '2026-01-02T03:04:05Z',
    };
    const body = { status: { conditions: [ready] } };
    await kubeCall(cluster, 'PATCH', `${pathOf(kustomization('columns', {}))}/status`, body);
    const table = await tableOf('/apis/kustomize.toolkit.fluxcd.io/v1/namespaces/default/kustomizations');
    expect(table.columnDefinitions.map(({ name }) => name)).toEqual(['Name', 'Age', 'Ready', 'Status']);
    const row = table.rows.find(({ cells }) => cells[0] === 'columns');
    expect(row?.cells.slice(2)).toEqual(['True', 'Applied revision: main@sha1:abc']);
    const sources = await tableOf('/apis/source.toolkit.fluxcd.io/v1/namespaces/default/gitrepositories');
    expect(sources.columnDefinitions.map(({ name }) => name)).toEqual([
      'Name',
      'URL',
      'Age',
      'Ready',
      'Status',
    ]);
  });

  test('explain every field, as kubectl explain reads it', async () => {
    const published = async (group: string, key: string) => {
      const { body } = await kubeRequest<{ components?: { schemas: Record<string, Explained> } }>(
        cluster,
        'GET',
        `/openapi/v3/apis/${group}/v1`,
      );
      return body.components?.schemas[key];
    };
    const group = 'kustomize.toolkit.fluxcd.io';
    const key = 'io.fluxcd.toolkit.kustomize.v1.Kustomization';
    const schema = await vi.waitUntil(() => published(group, key), { timeout: 30_000, interval: 100 });
    expect(schema?.description).toBe('Manifests of a source that are built with kustomize and applied.');
    expect(schema?.properties?.spec?.properties?.prune?.description).toContain('Delete objects');
    const repository = await published(
      'source.toolkit.fluxcd.io',
      'io.fluxcd.toolkit.source.v1.GitRepository',
    );
    expect(repository?.properties?.spec?.properties?.ref?.properties?.semver?.description).toContain('Range');
  });
});

interface Explained {
  description?: string;
  properties?: Record<string, Explained>;
}

interface Table {
  columnDefinitions: { name: string }[];
  rows: { cells: unknown[] }[];
}

/** What `kubectl get` asks for. */
function tableOf(path: string): Promise<Table> {
  const headers = {
    authorization: `Bearer ${cluster.token}`,
    accept: 'application/json;as=Table;v=v1;g=meta.k8s.io',
  };
  return new Promise((resolve, reject) => {
    const sent = request(`${cluster.server}${path}`, { ca: cluster.caData, headers }, (response) => {
      json(response).then((body) => resolve(body as Table), reject);
    });
    sent.on('error', reject);
    sent.end();
  });
}

describe('objects', () => {
  test.each(samples.map((sample) => [sample.kind, sample.metadata.name, sample] as const))(
    'the API server accepts the sample %s %s and sets the defaults that we set',
    async (_kind, _name, sample) => {
      const { status, body } = await apply(sample);
      expect(body.message).toBeUndefined();
      expect(status).toBeLessThan(300);
      const ours = parseToolkitObject(sample);
      expect(ours.ok && ours.object.spec).toEqual(body.spec);
      expect(body.status).toEqual({ observedGeneration: -1 });
      const read = parseToolkitObject(body);
      expect(read.ok && read.object).toEqual(body);
    },
  );

  test('the API server refuses what we refuse and accepts what we accept', async () => {
    await fc.assert(
      fc.asyncProperty(fc.constantFrom(...samples), fc.nat(), mutation, async (sample, pick, replacement) => {
        const mutant = mutate(sample, pick, replacement);
        const { status, body } = await apply(mutant, true);
        const ours = parseToolkitObject(mutant);
        const verdict = { accepted: status < 300, message: body.message, mutant };
        expect({ ...verdict, ours: ours.ok ? [] : ours.errors }).toEqual({
          ...verdict,
          ours: verdict.accepted ? [] : expect.arrayContaining([expect.anything()]),
        });
        if (ours.ok) expect(ours.object.spec).toEqual(body.spec);
      }),
      { numRuns: 600 },
    );
  });
});

describe('an older definition', () => {
  const name = 'kustomizations.kustomize.toolkit.fluxcd.io';

  /** As an older Flux left it: v1beta2 is still stored, and v1 lacks two fields. */
  function older(): KubernetesObject {
    const crd = customResourceDefinitions().find(({ metadata }) => metadata.name === name);
    const copy = structuredClone(crd) as KubernetesObject & {
      spec: { versions: { schema: { openAPIV3Schema: { properties: { spec: { properties: object } } } } }[] };
    };
    const version = copy.spec.versions[0];
    const fields = version?.schema.openAPIV3Schema.properties.spec.properties as Record<string, object>;
    delete fields.ignore;
    delete (fields.dependsOn as { items: { properties: { readyExpr?: object } } }).items.properties.readyExpr;
    const beta = { ...structuredClone(version), name: 'v1beta2', storage: true };
    return { ...copy, spec: { ...copy.spec, versions: [{ ...version, storage: false }, beta] } };
  }

  test('is named with its missing fields, and upgraded without dropping a version that is still stored', async () => {
    await kubeCall(cluster, 'DELETE', `${CRDS}/${name}`);
    const gone = async () => (await kubeRequest(cluster, 'GET', `${CRDS}/${name}`)).status === 404;
    await vi.waitUntil(gone, { timeout: 30_000, interval: 50 });
    await install(older());
    const object = kustomization('upgraded', { ignore: [{ paths: ['/spec/replicas'] }] });

    const live = await kubeCall<KubernetesObject>(cluster, 'GET', `${CRDS}/${name}`);
    const found = compareCrd(live);
    expect(found).toEqual({ served: true, missing: ['spec.dependsOn[].readyExpr', 'spec.ignore'] });
    expect(lostFields(object, found?.missing ?? [])).toEqual(['spec.ignore']);
    expect((await apply(object)).status).toBe(500);

    const [, ours] = customResourceDefinitions();
    const path = `${CRDS}/${name}?fieldManager=slipway&force=true`;
    expect((await kubeRequest(cluster, 'PATCH', path, ours, APPLY)).status).toBe(422);
    await install(upgradeCrd(live) as KubernetesObject);
    await vi.waitUntil(async () => (await apply(object)).status < 300, { timeout: 30_000, interval: 50 });
    const upgraded = await kubeCall<KubernetesObject>(cluster, 'GET', `${CRDS}/${name}`);
    expect(compareCrd(upgraded)).toEqual({ served: true, missing: [] });
  });
});
