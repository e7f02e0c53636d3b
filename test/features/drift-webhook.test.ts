import { readFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeEach, expect, test } from 'vitest';
import type { KubernetesObject } from '../../lib/core/object.ts';
import { identityOf, refOf } from '../../lib/core/object.ts';
import { Applier, actions, clientOf, configMap } from '../support/apply.ts';
import { startKubernetes } from '../support/kubernetes.ts';

/** An admission webhook changes objects for the whole cluster, so these tests have a cluster of their own. */
const kubernetes = await startKubernetes();
const client = clientOf(kubernetes);

interface Review {
  request: { uid: string; object: KubernetesObject };
}

/** What the webhook answers: JSON patch operations, or a refusal. */
type Answer = { patch: unknown[] } | { refusal: string };

let answer: (object: KubernetesObject) => Answer = () => ({ patch: [] });
const certificates = join(kubernetes.directory, 'certificates');
const server: Server = createServer({
  key: await readFile(join(certificates, 'apiserver.key')),
  cert: await readFile(join(certificates, 'apiserver.crt')),
});
server.on('request', async (request, response) => {
  const { uid, object } = (JSON.parse((await request.toArray()).join('')) as Review).request;
  const given = answer(object);
  const verdict =
    'refusal' in given
      ? { allowed: false, status: { code: 403, message: given.refusal } }
      : {
          allowed: true,
          patchType: 'JSONPatch',
          patch: Buffer.from(JSON.stringify(given.patch)).toString('base64'),
        };
  response.setHeader('content-type', 'application/json');
  const body = { apiVersion: 'admission.k8s.io/v1', kind: 'AdmissionReview', response: { uid, ...verdict } };
  response.end(JSON.stringify(body));
});
await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
const { port } = server.address() as AddressInfo;
const configuration: KubernetesObject = {
  apiVersion: 'admissionregistration.k8s.io/v1',
  kind: 'MutatingWebhookConfiguration',
  metadata: { name: 'test' },
  webhooks: [
    {
      name: 'test.example.com',
      admissionReviewVersions: ['v1'],
      sideEffects: 'None',
      failurePolicy: 'Fail',
      timeoutSeconds: 5,
      clientConfig: {
        url: `https://127.0.0.1:${port}/mutate`,
        caBundle: Buffer.from(kubernetes.caData).toString('base64'),
      },
      rules: [
        { apiGroups: [''], apiVersions: ['v1'], operations: ['CREATE', 'UPDATE'], resources: ['configmaps'] },
      ],
    },
  ],
};

afterAll(async () => {
  await client.close();
  server.close();
  server.closeAllConnections();
  await kubernetes.stop();
});

let count = 0;

beforeEach(async () => {
  if (await client.get(refOf(configuration))) return;
  await client.create(configuration);
  answer = () => ({ refusal: 'ready' });
  // The API server learns of the webhook a little later.
  await expect
    .poll(() => new Applier(client).apply([configMap('default', 'probe')]).then(() => 'accepted', String), {
      timeout: 20_000,
    })
    .toContain('ready');
});

function freshObject(): KubernetesObject {
  count += 1;
  return configMap('default', `object-${count}`);
}

async function read(object: KubernetesObject): Promise<KubernetesObject | undefined> {
  return client.get<KubernetesObject>(refOf(object));
}

test('a webhook that adds the same field every time causes one write', async () => {
  answer = ({ metadata }) => ({
    patch: [
      { op: 'add', path: '/metadata/annotations', value: { ...metadata.annotations, injected: 'yes' } },
    ],
  });
  const applier = new Applier(client);
  const object = freshObject();
  await applier.apply([object]);
  expect((await read(object))?.metadata.annotations).toEqual({ injected: 'yes' });
  const again = await applier.apply([object]);
  applier.known = new Map();
  const compared = await applier.apply([object], { previous: new Set([identityOf(refOf(object))]) });
  expect([actions(again), actions(compared)]).toEqual(
    Array(2).fill({ [`ConfigMap/${object.metadata.name}`]: 'unchanged' }),
  );
  expect(applier.counts.writes).toBe(1);
});

test('a webhook that overrides a field of the manifest causes no endless correction', async () => {
  answer = () => ({ patch: [{ op: 'replace', path: '/data/key', value: 'overridden' }] });
  const applier = new Applier(client);
  const object = freshObject();
  await applier.apply([object]);
  expect((await read(object))?.data).toEqual({ key: 'overridden' });
  applier.known = new Map();
  await applier.apply([object], { previous: new Set([identityOf(refOf(object))]) });
  expect(applier.counts.writes).toBe(1);
});

test('a webhook that writes another value every time does so once, not at every run', async () => {
  let calls = 0;
  answer = () => {
    calls += 1;
    return { patch: [{ op: 'add', path: '/metadata/annotations', value: { stamp: String(calls) } }] };
  };
  const applier = new Applier(client);
  const object = freshObject();
  await applier.apply([object]);
  for (let run = 0; run < 5; run++) await applier.apply([object]);
  expect(applier.counts).toMatchObject({ writes: 1, dryRuns: 0 });
});

test('an edit that a webhook made up for is found and compared, without a write', async () => {
  answer = () => ({ patch: [{ op: 'replace', path: '/data/key', value: 'overridden' }] });
  const applier = new Applier(client);
  const object = freshObject();
  await applier.apply([object]);
  const labels = { seen: 'yes' };
  await client.patch(refOf(object), 'merge', { metadata: { labels } }, { fieldManager: 'some-controller' });
  await applier.apply([object]);
  expect(applier.counts).toMatchObject({ writes: 1, dryRuns: 1 });
});

test('a webhook that refuses one object stops its stage and is quoted', async () => {
  const [good, bad] = [freshObject(), freshObject()];
  answer = ({ metadata }) =>
    metadata.name === bad.metadata.name ? { refusal: 'not on Fridays' } : { patch: [] };
  const apply = new Applier(client).apply([good, bad], { unvalidated: 0 });
  await expect(apply).rejects.toThrow(/not on Fridays/);
  expect(await read(good)).toBeUndefined();
});

test('a webhook that is down loses nothing, and the run is repeated', async () => {
  answer = () => ({ patch: [] });
  const applier = new Applier(client);
  const object = freshObject();
  await applier.apply([object]);
  const webhooks = [
    {
      ...(configuration.webhooks as Record<string, unknown>[])[0],
      clientConfig: { url: 'https://127.0.0.1:1/' },
    },
  ];
  await client.patch(refOf(configuration), 'merge', { webhooks });
  const changed = { ...object, data: { key: 'new' } };
  await expect
    .poll(
      () =>
        applier.apply([changed], { previous: new Set() }).then(
          () => 'accepted',
          (error) => error.outcome,
        ),
      {
        timeout: 20_000,
      },
    )
    .toBe('retry');
  expect((await read(object))?.data).toEqual({ key: 'value' });
  await client.delete(refOf(configuration));
  await expect
    .poll(() => applier.apply([changed]).then(() => 'applied', String), { timeout: 20_000 })
    .toBe('applied');
  expect((await read(object))?.data).toEqual({ key: 'new' });
});
