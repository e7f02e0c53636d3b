import { expect, test } from 'vitest';
import { unbuilt } from '../../../lib/pipeline/prune-gate.ts';
import type { Run } from '../../../lib/pipeline/run.ts';
import type { Kustomization } from '../../../lib/toolkit/kustomization.ts';

const REVISION = 'main@sha1:1111111111111111111111111111111111111111';
const SOURCE = { group: 'source.toolkit.fluxcd.io', kind: 'GitRepository', namespace: 'apps', name: 'repo' };
const GROUP = 'kustomize.toolkit.fluxcd.io';

interface Given {
  attempted?: string;
  deleted?: boolean;
  holds?: string[];
  dependsOn?: string[];
  /** It applies to another cluster. */
  remote?: boolean;
  ready?: 'True' | 'False' | 'Unknown';
  suspended?: boolean;
  /** What its last finished apply has left out, and of which revision that was. */
  leaves?: string[];
  appliedLast?: string;
  /** The revision that it has begun to apply last. */
  begun?: string;
}

function kustomization(
  name: string,
  {
    attempted = REVISION,
    deleted = false,
    holds = [],
    dependsOn = [],
    remote = false,
    ready,
    suspended,
  }: Given,
) {
  return {
    apiVersion: `${GROUP}/v1`,
    kind: 'Kustomization',
    metadata: { name, namespace: 'apps', ...(deleted ? { deletionTimestamp: '2026-01-01T00:00:00Z' } : {}) },
    spec: {
      sourceRef: { kind: 'GitRepository', name: 'repo' },
      dependsOn: dependsOn.map((each) => ({ name: each })),
      ...(suspended === undefined ? {} : { suspend: suspended }),
      ...(remote ? { kubeConfig: { secretRef: { name: 'other' } } } : {}),
    },
    status: {
      lastAttemptedRevision: attempted,
      ...(ready === undefined ? {} : { conditions: [{ type: 'Ready', status: ready }] }),
      inventory: { entries: holds.map((each) => ({ id: `apps_${each}_${GROUP}_Kustomization`, v: 'v1' })) },
    },
  };
}

/** Whom `own` waits for among these. @param namespace as it stands in the cluster */
function waitsFor(own: string, given: Record<string, Given>, namespace = {}): Promise<string[]> {
  const items = Object.entries(given).map(([name, each]) => kustomization(name, each));
  const inputs = {
    async get(_cluster: string, key: string) {
      const { leaves, appliedLast } = given[key.replace('Kustomization/apps/', '')] ?? {};
      if (appliedLast === undefined) return undefined;
      return { revision: appliedLast, leaving: leaves?.map((each) => `Kustomization/apps/${each}`) };
    },
  };
  const applied = {
    begunAt: async (_cluster: string, key: string) => given[key.replace('Kustomization/apps/', '')]?.begun,
  };
  const run = {
    ctx: { index: { inputs, applied } },
    client: { getMetadata: async () => ({ metadata: namespace }) },
    job: { cluster: 'prod' },
    ref: { group: GROUP, kind: 'Kustomization', namespace: 'apps', name: own },
  } as unknown as Run;
  return unbuilt(run, SOURCE, REVISION, [], items as unknown as Kustomization[]);
}

test('nothing is pruned before every other Kustomization has come to the revision', async () => {
  expect(await waitsFor('base', { base: {}, app: { attempted: 'older' } })).toEqual([
    'Kustomization/apps/app',
  ]);
  expect(await waitsFor('base', { base: {}, app: {} })).toEqual([]);
});

test('one that is being deleted claims nothing, unless another one brings it back at the revision', async () => {
  const app = { attempted: 'older', deleted: true };
  expect(await waitsFor('base', { base: {}, app })).toEqual([]);
  expect(await waitsFor('base', { base: {}, app, root: { holds: ['base', 'app'] } })).toEqual([
    'Kustomization/apps/app',
  ]);
});

test('one that the revision brings is waited for before it exists', async () => {
  expect(await waitsFor('base', { base: {}, root: { holds: ['base', 'app'] } })).toEqual([
    'Kustomization/apps/app',
  ]);
});

test('what one brings to another cluster is not waited for here', async () => {
  expect(await waitsFor('base', { base: {}, root: { holds: ['app'], remote: true } })).toEqual([]);
});

test('one that is deleted waits neither for another one in deletion nor for what is built only after it was made anew', async () => {
  const base = { deleted: true };
  const root = { holds: ['base', 'app', 'front'], ready: 'True' as const };
  const app = { attempted: 'older', deleted: true };
  expect(await waitsFor('base', { base, app, front: {}, root })).toEqual([]);
  const waiting = { attempted: 'older', dependsOn: ['base'] };
  const front = { attempted: 'older', dependsOn: ['app'] };
  expect(await waitsFor('base', { base, app: waiting, front, root })).toEqual([]);
});

test('one that is deleted does not wait for one that the revision leaves out, whose holder waits for it to be made anew', async () => {
  const [base, app] = [{ deleted: true }, { attempted: 'older', holds: ['front'] }];
  const holder = { holds: ['base', 'app'], ready: 'True' as const };
  const root = { ...holder, appliedLast: REVISION, leaves: ['app'] };
  expect(await waitsFor('base', { base, app, root })).toEqual([]);
  expect(await waitsFor('base', { base, root })).toEqual([]);
  expect(await waitsFor('base', { base, app, front: { attempted: 'older' }, root })).toEqual([]);
  expect(await waitsFor('base', { base, app, root: { ...holder, appliedLast: REVISION } })).toEqual([
    'Kustomization/apps/app',
  ]);
  // It may have moved to another holder.
  expect(await waitsFor('base', { base, app, root, other: { holds: ['app'], ready: 'True' } })).toEqual([
    'Kustomization/apps/app',
  ]);
});

test('one that is deleted waits for one that is applying other Kustomizations, which may be about to hold what it has', async () => {
  const [base, app] = [{ deleted: true }, { attempted: 'older', dependsOn: ['base'] }];
  const root = { holds: ['base', 'app'], ready: 'Unknown' as const };
  expect(await waitsFor('base', { base, app, root: { ...root, appliedLast: 'older' } })).toEqual([
    'Kustomization/apps/root',
  ]);
  // It has failed, and is tried again.
  const failed = { ...root, ready: 'False' as const, begun: REVISION };
  expect(await waitsFor('base', { base, app, root: { ...failed, appliedLast: 'older' } })).toEqual([
    'Kustomization/apps/root',
  ]);
  expect(await waitsFor('base', { base, app, root: { ...failed, appliedLast: REVISION } })).toEqual([]);
  // It may have failed since this one's namespace is being deleted, and this one keeps that.
  const going = { deletionTimestamp: '2026-01-01T00:00:00Z' };
  expect(await waitsFor('base', { base, app, root: { ...failed, appliedLast: 'older' } }, going)).toEqual([]);
  // Its apply is over, and only health is waited for; or nobody goes on with it.
  expect(await waitsFor('base', { base, app, root: { ...root, appliedLast: REVISION } })).toEqual([]);
  expect(await waitsFor('base', { base, app, root: { ...root, suspended: true } })).toEqual([]);
});

test('nothing is pruned while another one has failed at the revision before it had begun to apply it', async () => {
  const app = { ready: 'False' as const };
  expect(await waitsFor('base', { base: {}, app: { ...app, begun: 'older' } })).toEqual([
    'Kustomization/apps/app',
  ]);
  expect(await waitsFor('base', { base: {}, app: { ...app, begun: REVISION } })).toEqual([]);
  expect(await waitsFor('base', { base: {}, app: { ...app, suspended: true } })).toEqual([]);
  expect(await waitsFor('base', { base: {}, app: { ...app, remote: true } })).toEqual([]);
});
