import { randomBytes } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import type { KubernetesObject } from '../../lib/core/object.ts';
import { refOf } from '../../lib/core/object.ts';
import { Applier, clientOf, configMap, deployment, failureOf, versions } from '../support/apply.ts';
import { freshNamespace, useKubernetes } from '../support/cluster.ts';

const client = clientOf(await useKubernetes());

describe('an invalid object', () => {
  test('in a set of 500 stops all of them before any write', async () => {
    const namespace = await freshNamespace();
    const applier = new Applier(client);
    const objects = Array.from({ length: 500 }, (_, index) => configMap(namespace, `c${index}`));
    objects[250] = { ...configMap(namespace, 'c250'), data: { 'not a key!': 'x' } };
    const error = await failureOf(applier.apply(objects, { concurrency: 32 }));
    expect(error.reason).toBe('ReconciliationFailed');
    expect(error.message).toContain(`ConfigMap/${namespace}/c250 dry-run failed (Invalid)`);
    expect(error.result.changeSet.entries).toEqual([]);
    const { items } = await client.list({ group: '', version: 'v1', kind: 'ConfigMap' }, { namespace });
    expect(items.filter(({ metadata }) => metadata.name.startsWith('c'))).toEqual([]);
  });

  test('beside a change of an existing one stops both, even in a small set', async () => {
    const namespace = await freshNamespace();
    const applier = new Applier(client);
    await applier.apply([configMap(namespace, 'a')]);
    const bad = { ...configMap(namespace, 'b'), data: { 'not a key!': 'x' } };
    const before = await versions(client, [configMap(namespace, 'a')]);
    const error = await failureOf(applier.apply([configMap(namespace, 'a', { key: 'new' }), bad]));
    expect(error.message).toContain(`ConfigMap/${namespace}/b`);
    expect(await versions(client, [configMap(namespace, 'a')])).toEqual(before);
  });

  test('is named with every other one that is invalid', async () => {
    const namespace = await freshNamespace();
    const bad = (name: string) => ({ ...configMap(namespace, name), data: { 'not a key!': name } });
    const unknown = { apiVersion: 'none.example.com/v1', kind: 'Gadget', metadata: { name: 'g', namespace } };
    const nowhere = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'nowhere' } };
    const error = await failureOf(
      new Applier(client).apply([bad('x'), bad('y'), unknown, nowhere], { unvalidated: 0 }),
    );
    expect(error.message).toContain(`ConfigMap/${namespace}/x dry-run failed`);
    expect(error.message).toContain(`ConfigMap/${namespace}/y dry-run failed`);
    expect(error.message).toContain('no matches for kind "Gadget" in version "none.example.com/v1"');
    expect(error.message).toContain('ConfigMap/nowhere namespace not specified');
  });

  test('of a kind with a field that the server does not know is refused, not stripped', async () => {
    const namespace = await freshNamespace();
    const odd = deployment(namespace, 'web');
    (odd.spec as Record<string, unknown>).replicaz = 2;
    const error = await failureOf(new Applier(client).apply([odd]));
    expect(error.message).toContain('replicaz');
  });

  test('that is a Secret is not quoted with its values', async () => {
    const namespace = await freshNamespace();
    const secret: KubernetesObject = {
      apiVersion: 'v1',
      kind: 'Secret',
      metadata: { name: 's', namespace },
      type: 'kubernetes.io/tls',
      stringData: { 'tls.crt': 'canary-value-1', 'bad key!': 'canary-value-2' },
    };
    const error = await failureOf(new Applier(client).apply([secret]));
    expect(error.message).toContain(`Secret/${namespace}/s`);
    expect(JSON.stringify([error.message, error.stack, String(error.cause)])).not.toMatch(
      /canary-value|Y2FuYXJ5/,
    );
  });

  test.each<[string, (object: KubernetesObject) => void]>([
    ['data of 1.2 MiB', (object) => Object.assign(object, { data: { key: 'x'.repeat(1_200_000) } })],
    ['data of 4 MiB', (object) => Object.assign(object, { data: { key: 'x'.repeat(4_000_000) } })],
    [
      'an annotation of 300 KiB',
      (object) => Object.assign(object.metadata, { annotations: { a: 'x'.repeat(300_000) } }),
    ],
  ])('with %s is named in a short error', async (_what, enlarge) => {
    const namespace = await freshNamespace();
    const large = configMap(namespace, 'large');
    enlarge(large);
    const error = await failureOf(new Applier(client).apply([large]));
    expect(error.message).toContain(`ConfigMap/${namespace}/large`);
    expect(error.message).toMatch(/too long|too large|must have at most|entity too large/i);
    expect(error.message.length).toBeLessThan(2_000);
  });

  test('in the last stage leaves what the stages before it did, and says so', async () => {
    const namespace = `partial-${randomBytes(4).toString('hex')}`;
    const objects: KubernetesObject[] = [
      { apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace } },
      { ...configMap(namespace, 'bad'), data: { 'not a key!': 'x' } },
    ];
    const error = await failureOf(new Applier(client).apply(objects));
    expect(error.message).toContain(`Namespace/${namespace} created`);
    expect([...error.result.records.keys()]).toEqual([`/Namespace//${namespace}`]);
    await client.delete(refOf(objects[0] as KubernetesObject));
  });

  test('with labels that are no texts is named before anything is asked', async () => {
    const namespace = await freshNamespace();
    const odd = configMap(namespace, 'a');
    odd.metadata.labels = { version: 1 } as unknown as Record<string, string>;
    const applier = new Applier(client);
    const error = await failureOf(applier.apply([odd]));
    expect(error).toMatchObject({ reason: 'BuildFailed', outcome: 'stall' });
    expect(error.message).toContain('metadata.labels["version"] must be a text');
    expect(applier.counts).toEqual({ reads: 0, dryRuns: 0, writes: 0 });
  });

  test('that stands twice in a render is refused', async () => {
    const namespace = await freshNamespace();
    const error = await failureOf(
      new Applier(client).apply([configMap(namespace, 'a'), configMap(namespace, 'a')]),
    );
    expect(error).toMatchObject({ reason: 'BuildFailed', outcome: 'stall' });
  });
});
