import { describe, expect, test } from 'vitest';
import { Evidence } from '../../load/evidence.ts';
import { stepsBack } from '../../load/order-of-writes.ts';
import { CREATED, effectOf, staleWrites, TOOK_EFFECT } from '../../load/stale-writes.ts';
import { effectiveWrites, type Life, readWrite, type Write } from '../../load/write.ts';
import type { SeenWrite } from '../../support/kube-proxy.ts';

const COMMITS = ['a', 'b', 'c'].map((letter) => letter.repeat(40));
const REPOSITORIES = new Map([['team-1', { commits: COMMITS }]]);
const LEASE = 'prod/Kustomization/team-1/app';

/** A write of a ConfigMap that changes it, unless `more` says otherwise. */
function write(life: Life, at: number, commit: number, more: Partial<SeenWrite> = {}): Write {
  const object = {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name: 'object-1', namespace: 'team-1', uid: 'u', resourceVersion: `${at}` },
    data: { commit: String(commit) },
  };
  const seen: SeenWrite = {
    ...{ number: 1, method: 'PATCH', body: '', status: 200, answer: JSON.stringify(object) },
    path: '/api/v1/namespaces/team-1/configmaps/object-1?fieldManager=kustomize-controller&force=true',
    ...{ arrivedAt: at, forwardedAt: at, answeredAt: at + 1 },
    ...more,
  };
  return readWrite(life, seen, seen.forwardedAt > seen.arrivedAt);
}

function status(life: Life, at: number, commit: string): Write {
  const status = {
    conditions: [{ type: 'Ready', status: 'True', reason: '', message: '', lastTransitionTime: '' }],
    lastAppliedRevision: `main@sha1:${commit}`,
  };
  const metadata = { name: 'app', namespace: 'team-1', uid: 'k', resourceVersion: `${at}` };
  return write(life, at, 0, {
    method: 'PUT',
    path: '/apis/kustomize.toolkit.fluxcd.io/v1/namespaces/team-1/kustomizations/app/status',
    answer: JSON.stringify({ apiVersion: 'v1', kind: 'Kustomization', metadata, status }),
  });
}

/** What of the evidence must not be. */
function tookEffect(evidence: Evidence): Write[] {
  const effective = new Set(effectiveWrites(evidence.writes));
  return staleWrites(evidence)
    .filter((each) => effectOf(each, effective) === TOOK_EFFECT)
    .map(({ write: each }) => each);
}

describe('a write', () => {
  const life: Life = { worker: 'serve', number: 1 };

  test('is read from what passed the proxy', () => {
    expect(write(life, 5, 2)).toMatchObject({
      ...{ resource: 'configmaps', namespace: 'team-1', name: 'object-1', subresource: '' },
      ...{ commit: 2, resourceVersion: 5, uid: 'u', held: false },
    });
    expect(status(life, 6, 'b'.repeat(40))).toMatchObject({
      ...{ resource: 'kustomizations', name: 'app', subresource: 'status', ready: 'True' },
      revisions: { applied: 'b'.repeat(40) },
    });
  });

  test('that is refused, or leaves the version as it was, has no effect', () => {
    const first = write(life, 5, 1);
    const again = { ...write(life, 7, 1), resourceVersion: 5 };
    const refused = write(life, 8, 1, { status: 409, answer: '{}' });
    expect(effectiveWrites([again, refused, first])).toEqual([first]);
  });

  test('that brings an object or a status back to an older commit is told', () => {
    const writes = [write(life, 1, 1), status(life, 2, 'b'.repeat(40)), write(life, 3, 2)];
    expect(stepsBack(writes, REPOSITORIES)).toEqual([]);
    const back = [...writes, write(life, 4, 1), status(life, 5, 'a'.repeat(40))];
    expect(stepsBack(back, REPOSITORIES)).toEqual([
      expect.stringMatching(
        /^configmaps team-1\/object-1: data went back from commit 2 to 1 by a PATCH of serve/,
      ),
      expect.stringMatching(/^kustomizations team-1\/app: applied went back from commit 1 to 0/),
    ]);
  });
});

describe('a write of a process that is gone', () => {
  test('must not take effect once the next process has written the object', () => {
    const evidence = new Evidence();
    const [old, young] = [evidence.begin('serve'), evidence.begin('serve')];
    evidence.add(write(young, 10, 2));
    evidence.add(write(old, 5, 1, { forwardedAt: 20, answeredAt: 21, status: 409, answer: '{}' }));
    expect(staleWrites(evidence)).toMatchObject([{ isOverruled: true }]);
    expect(tookEffect(evidence)).toEqual([]);
    const late = { ...write(old, 5, 1, { forwardedAt: 20, answeredAt: 21 }), resourceVersion: 20 };
    evidence.add(late);
    expect(tookEffect(evidence)).toEqual([late]);
  });

  test('must not take effect either once the next process has found the object as it should be', () => {
    const evidence = new Evidence();
    const [old, young] = [evidence.begin('serve'), evidence.begin('serve')];
    evidence.add(status(young, 10, 'b'.repeat(40)));
    const late = { ...write(old, 5, 1, { forwardedAt: 20, answeredAt: 21 }), resourceVersion: 20 };
    evidence.add(late);
    expect(tookEffect(evidence)).toEqual([late]);
  });

  test('may create what has been deleted since, which the API server cannot refuse', () => {
    const evidence = new Evidence();
    const [old, young] = [evidence.begin('serve'), evidence.begin('serve')];
    evidence.add(status(young, 10, 'b'.repeat(40)));
    const late = write(old, 5, 1, { forwardedAt: 20, answeredAt: 21, status: 201 });
    evidence.add(late);
    const effective = new Set(effectiveWrites(evidence.writes));
    expect(staleWrites(evidence).map((each) => effectOf(each, effective))).toEqual([CREATED]);
  });

  test('is as good as an earlier one while the next process has not come to the object', () => {
    const evidence = new Evidence();
    const [old, young] = [evidence.begin('serve'), evidence.begin('serve')];
    evidence.add({ ...write(young, 10, 1), name: 'object-2' });
    evidence.add({ ...write(old, 5, 1, { forwardedAt: 20, answeredAt: 21 }), resourceVersion: 20 });
    expect(staleWrites(evidence)).toMatchObject([{ isOverruled: false }]);
    expect(tookEffect(evidence)).toEqual([]);
  });
});

describe('a write of a worker that has lost its lease', () => {
  function evidenceOf() {
    const evidence = new Evidence();
    const [one, two] = [evidence.begin('worker-1'), evidence.begin('worker-2')];
    const take = (life: Life, token: number, at: number) =>
      evidence.leases.push({ life, name: LEASE, holder: life.worker, token, until: at + 60_000, at });
    return { evidence, one, two, take };
  }

  test('is told from one that it made in time, or after it had taken the lease once more', () => {
    const { evidence, one, two, take } = evidenceOf();
    take(one, 1, 1);
    // Extended.
    take(one, 1, 20);
    take(two, 2, 30);
    take(one, 3, 60);
    evidence.add(write(one, 25, 1));
    evidence.add(write(two, 40, 1));
    evidence.add(write(one, 65, 1));
    expect(staleWrites(evidence)).toEqual([]);
    const late = write(one, 45, 1);
    evidence.add(late);
    expect(staleWrites(evidence)).toMatchObject([{ write: late, isOverruled: true }]);
    expect(tookEffect(evidence)).toEqual([late]);
  });

  test('is one also when the lease has come back to the same worker meanwhile', () => {
    const { evidence, one, two, take } = evidenceOf();
    take(one, 1, 1);
    take(two, 2, 30);
    take(one, 3, 60);
    evidence.add(write(two, 40, 2));
    const late = { ...write(one, 25, 1, { forwardedAt: 70, answeredAt: 71 }), resourceVersion: 70 };
    evidence.add(late);
    expect(tookEffect(evidence)).toEqual([late]);
  });
});
