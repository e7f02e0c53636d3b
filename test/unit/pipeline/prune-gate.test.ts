import { expect, test } from 'vitest';
import { unbuilt } from '../../../lib/pipeline/prune-gate.ts';
import type { Run } from '../../../lib/pipeline/run.ts';

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
}

function kustomization(
  name: string,
  { attempted = REVISION, deleted = false, holds = [], dependsOn = [], remote = false }: Given,
) {
  return {
    apiVersion: `${GROUP}/v1`,
    kind: 'Kustomization',
    metadata: { name, namespace: 'apps', ...(deleted ? { deletionTimestamp: '2026-01-01T00:00:00Z' } : {}) },
    spec: {
      sourceRef: { kind: 'GitRepository', name: 'repo' },
      dependsOn: dependsOn.map((each) => ({ name: each })),
      ...(remote ? { kubeConfig: { secretRef: { name: 'other' } } } : {}),
    },
    status: {
      lastAttemptedRevision: attempted,
      inventory: { entries: holds.map((each) => ({ id: `apps_${each}_${GROUP}_Kustomization`, v: 'v1' })) },
    },
  };
}

/** Whom `own` waits for among these. */
function waitsFor(own: string, given: Record<string, Given>): Promise<string[]> {
  const items = Object.entries(given).map(([name, each]) => kustomization(name, each));
  const run = {
    client: { list: async () => ({ items }) },
    ref: { group: GROUP, kind: 'Kustomization', namespace: 'apps', name: own },
  } as unknown as Run;
  return unbuilt(run, SOURCE, REVISION, []);
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
  const root = { holds: ['base', 'app', 'front'] };
  const app = { attempted: 'older', deleted: true };
  expect(await waitsFor('base', { base, app, front: {}, root })).toEqual([]);
  const waiting = { attempted: 'older', dependsOn: ['base'] };
  const front = { attempted: 'older', dependsOn: ['app'] };
  expect(await waitsFor('base', { base, app: waiting, front, root })).toEqual([]);
});
