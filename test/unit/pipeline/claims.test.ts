import { expect, test } from 'vitest';
import { observe } from '../../../lib/apply/drift.ts';
import { identityOf } from '../../../lib/core/object.ts';
import type { PartialObject } from '../../../lib/kube/client.ts';
import { claimsOf } from '../../../lib/pipeline/claims.ts';
import type { Run } from '../../../lib/pipeline/run.ts';
import { FIELD_MANAGER } from '../../../lib/toolkit/annotations.ts';
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

/** The object, as the server shows it after so many changes. */
function live(generation: number): PartialObject {
  return {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name: 'shared', namespace: 'apps', uid: 'one', generation },
  };
}

/**
 * The claims that `app`, which is deleted, sees; `base` has the inventory that was listed, and another one by now, or is gone.
 * @param more.applied the object as `base` has applied it; absent: it has not
 */
function claims(
  listed: readonly string[],
  now: readonly string[] | undefined,
  {
    applied,
    suspend = false,
    dependsOn = [],
  }: { applied?: PartialObject; suspend?: boolean; dependsOn?: string[] } = {},
) {
  const record = applied && { desired: '', observation: observe(applied, FIELD_MANAGER), checkedAt: 0 };
  const records = new Map(record ? [[identityOf(MAP), record]] : []);
  const base = (holds: readonly string[]) => {
    const made = kustomization('base', holds);
    return { ...made, spec: { ...made.spec, suspend, dependsOn: dependsOn.map((name) => ({ name })) } };
  };
  const run = {
    client: {
      list: async () => ({ items: [base(listed)] }),
      get: async () => (now === undefined ? undefined : base(now)),
    },
    ctx: { index: { applied: { isDirty: async () => false, load: async () => records } } },
    job: { cluster: 'prod' },
    ref: { group: GROUP, kind: 'Kustomization', namespace: 'apps', name: 'app' },
  } as unknown as Run;
  return claimsOf(run, kustomization('app', ['shared']), undefined);
}

test('an owner that holds an object and has yet to apply it is told so, and waited for', async () => {
  const seen = claims(['shared'], ['shared']);
  expect(await seen.claimed(MAP, live(1))).toEqual({ by: 'Kustomization/apps/base', settled: false });
  expect(seen.heirs()).toEqual(['Kustomization/apps/base']);
});

test('an owner that has applied an object keeps it, unless another one has taken it over since: then it must apply it again', async () => {
  const seen = () => claims(['shared'], ['shared'], { applied: live(1) });
  expect(await seen().claimed(MAP, live(1))).toEqual({ by: 'Kustomization/apps/base', settled: true });
  const taken = seen();
  expect(await taken.claimed(MAP, live(2))).toEqual({ by: 'Kustomization/apps/base', settled: false });
  expect(taken.heirs()).toEqual(['Kustomization/apps/base']);
});

test('an owner that has let an object go since its inventory was read has no claim on it', async () => {
  const seen = claims(['shared'], []);
  expect(await seen.claimed(MAP, live(1))).toBeUndefined();
  expect(seen.heirs()).toEqual([]);
});

test('an owner that was deleted since its inventory was read may be made anew: the object is looked at again', async () => {
  const seen = claims(['shared'], undefined);
  expect(await seen.claimed(MAP, live(1))).toEqual({ by: 'Kustomization/apps/base', settled: false });
  expect(seen.heirs()).toEqual([]);
});

test('an owner that is suspended while another one has taken an object over says whether it keeps it only once it is resumed', async () => {
  const seen = claims(['shared'], ['shared'], { suspend: true, applied: live(1) });
  expect(await seen.claimed(MAP, live(2))).toEqual({
    by: 'Kustomization/apps/base (suspended)',
    settled: false,
  });
  expect(seen.heirs()).toEqual([]);
  const never = claims(['shared'], ['shared'], { suspend: true });
  expect(await never.claimed(MAP, live(1))).toBeUndefined();
});

test('an owner that waits for the one that is deleted is not waited for in turn: the object is left to it', async () => {
  const seen = claims(['shared'], ['shared'], { dependsOn: ['app'] });
  expect(await seen.claimed(MAP, live(1))).toEqual({ by: 'Kustomization/apps/base', settled: true });
});

test('an object that is gone is left to whoever holds it, too', async () => {
  const seen = claims(['shared'], ['shared']);
  await seen.leaveToOthers(MAP);
  expect(seen.heirs()).toEqual(['Kustomization/apps/base']);
  const alone = claims([], []);
  await alone.leaveToOthers(MAP);
  expect(alone.heirs()).toEqual([]);
});
