import { expect, test } from 'vitest';
import { claimsOf } from '../../../lib/pipeline/claims.ts';
import type { Run } from '../../../lib/pipeline/run.ts';
import type { Kustomization } from '../../../lib/toolkit/kustomization.ts';

const GROUP = 'kustomize.toolkit.fluxcd.io';
const MAP = { group: '', version: 'v1', kind: 'ConfigMap', namespace: 'apps', name: 'shared' };

function kustomization(name: string, holds: readonly string[]): Kustomization {
  return {
    apiVersion: `${GROUP}/v1`,
    kind: 'Kustomization',
    metadata: { name, namespace: 'apps' },
    spec: { sourceRef: { kind: 'GitRepository', name: 'repo' } },
    status: { inventory: { entries: holds.map((each) => ({ id: `apps_${each}__ConfigMap`, v: 'v1' })) } },
  } as unknown as Kustomization;
}

/** The claims that `app`, which is deleted, sees; `base` has the inventory that was listed, and another one by now, or is gone. */
function claims(
  listed: readonly string[],
  now: readonly string[] | undefined,
  more: Partial<Kustomization> = {},
) {
  const base = kustomization('base', listed);
  const run = {
    client: {
      list: async () => ({
        items: [
          { ...base, spec: { ...base.spec, ...more.spec }, status: { ...base.status, ...more.status } },
        ],
      }),
      get: async () => (now === undefined ? undefined : kustomization('base', now)),
    },
    ctx: { index: { applied: { isDirty: async () => false, load: async () => new Map() } } },
    job: { cluster: 'prod' },
    ref: { group: GROUP, kind: 'Kustomization', namespace: 'apps', name: 'app' },
  } as unknown as Run;
  return claimsOf(run, kustomization('app', ['shared']), undefined);
}

test('an owner that holds an object and has yet to apply it is told so, and waited for', async () => {
  const seen = claims(['shared'], ['shared']);
  expect(await seen.claimed(MAP)).toEqual({ by: 'Kustomization/apps/base', settled: false });
  expect(seen.heirs()).toEqual(['Kustomization/apps/base']);
});

test('an owner that has let an object go since its inventory was read has no claim on it', async () => {
  const seen = claims(['shared'], []);
  expect(await seen.claimed(MAP)).toBeUndefined();
  expect(seen.heirs()).toEqual([]);
});

test('an owner that was deleted since its inventory was read may be made anew: the object is looked at again', async () => {
  const seen = claims(['shared'], undefined);
  expect(await seen.claimed(MAP)).toEqual({ by: 'Kustomization/apps/base', settled: false });
  expect(seen.heirs()).toEqual([]);
});

test('an owner that is suspended at another revision says what it keeps only once it is resumed', async () => {
  const suspended = { spec: { suspend: true }, status: { lastAttemptedRevision: 'older' } };
  const seen = claims(['shared'], ['shared'], suspended as unknown as Partial<Kustomization>);
  expect(await seen.claimed(MAP)).toEqual({ by: 'Kustomization/apps/base (suspended)', settled: false });
  expect(seen.heirs()).toEqual([]);
});
