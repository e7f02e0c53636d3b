import { afterAll, beforeAll, expect, test } from 'vitest';
import type { KubeClient } from '../../../lib/kube/client.ts';
import { checkHealth } from '../../../lib/pipeline/health.ts';
import type { Run } from '../../../lib/pipeline/run.ts';
import type { Kustomization } from '../../../lib/toolkit/kustomization.ts';
import { type TestSqlite, testSqlite } from '../../support/sqlite.ts';

const SECOND = 1_000;

let parts: TestSqlite;
beforeAll(async () => {
  parts = await testSqlite();
});
afterAll(() => parts.close());

/** How long is waited before each of several looks at a claim that is never bound, in ms. */
async function pauses(looksAt: readonly number[], tookMs: number): Promise<(number | undefined)[]> {
  const ref = { group: '', version: 'v1', kind: 'PersistentVolumeClaim', namespace: 'apps', name: 'disk' };
  const claim = { apiVersion: 'v1', kind: ref.kind, metadata: { name: ref.name, namespace: ref.namespace } };
  const client = { get: async () => claim } as unknown as KubeClient;
  const rows = parts.freshTable();
  let now = 0;
  const run = (at: number) =>
    ({
      ctx: { index: { rows }, now: () => now },
      job: { cluster: 'prod' },
      ref: { kind: 'Kustomization', namespace: 'apps', name: 'app' },
      startedAt: at - tookMs,
    }) as unknown as Run;
  const object = {
    metadata: { generation: 1 },
    spec: { wait: true, interval: '10m', timeout: '10m' },
  } as unknown as Kustomization;
  const render = { applied: [ref], desired: [], revision: 'main@sha1:a', renderedDigest: 'sha256:a' };
  const found: (number | undefined)[] = [];
  for (const at of looksAt) {
    now = at;
    found.push((await checkHealth(run(at), object, client, render)).pending?.requeueAfterMs);
  }
  return found;
}

test('looks at health come soon, grow rarer with the time, and are never more than two seconds apart', async () => {
  const looks = [0, 4 * SECOND, 60 * SECOND, 300 * SECOND];
  expect(await pauses(looks, 100)).toEqual([500, 1_000, 2_000, 2_000]);
});

test('looks that take long are further apart, so that they take a sixth of the time at most, and five seconds at most', async () => {
  const looks = [0, 60 * SECOND];
  expect(await pauses(looks, 700)).toEqual([500, 3_500]);
  expect(await pauses(looks, 4_000)).toEqual([500, 5_000]);
});
