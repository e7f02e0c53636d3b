import { describe, expect, it } from 'vitest';
import type { KubernetesObject } from '../../../lib/core/object.ts';
import type { KubeClient } from '../../../lib/kube/client.ts';
import { KubeError } from '../../../lib/kube/errors.ts';
import { advanceRevision, wasMovedOn } from '../../../lib/pipeline/advance.ts';
import type { WithStatus } from '../../../lib/pipeline/status.ts';

const [OLD, NEW, OTHER] = ['a', 'b', 'c'].map((digit) => `main@sha1:${digit.repeat(40)}`) as [
  string,
  string,
  string,
];

describe('the move of a Kustomization that a push does not touch', () => {
  it('writes both revisions', async () => {
    const server = serving(at(OLD, '1'));
    await advanceRevision(server.client, at(OLD, '1'), NEW);
    expect(server.live().status).toMatchObject({ lastAppliedRevision: NEW, lastAttemptedRevision: NEW });
  });

  it('writes them over a change that leaves the revisions as they were', async () => {
    const server = serving(at(OLD, '2'));
    await advanceRevision(server.client, at(OLD, '1'), NEW);
    expect(server.live().status).toMatchObject({ lastAppliedRevision: NEW });
  });

  it('is given up when another revision was applied meanwhile, which the push may touch', async () => {
    const server = serving(at(OTHER, '2'));
    const moving = advanceRevision(server.client, at(OLD, '1'), NEW);
    await expect(moving).rejects.toThrow('Kustomization/apps/app came to another revision');
    await expect(moving).rejects.toMatchObject({ outcome: 'retry' });
    expect(server.live()).toEqual(at(OTHER, '2'));
  });

  it('is given up when a run of another revision has begun meanwhile', async () => {
    const live = at(OLD, '2');
    live.status = { ...live.status, lastAttemptedRevision: OTHER };
    const server = serving(live);
    await expect(advanceRevision(server.client, at(OLD, '1'), NEW)).rejects.toThrow('another revision');
  });

  it('writes nothing when a run has come to the new revision meanwhile', async () => {
    const server = serving(at(NEW, '2'));
    await advanceRevision(server.client, at(OLD, '1'), NEW);
    expect(server.live()).toEqual(at(NEW, '2'));
  });
});

describe('a run that ends at an object which a push has moved on meanwhile', () => {
  const known = { lastAttemptedRevision: OLD };

  it('is behind, and must look again', () => {
    expect(wasMovedOn(known, { lastAttemptedRevision: NEW }, OLD)).toBe(true);
    expect(wasMovedOn(undefined, { lastAttemptedRevision: NEW }, OLD)).toBe(true);
  });

  it('is not behind where nobody else wrote a revision, where it came to the same one, or to none', () => {
    expect(wasMovedOn(known, { lastAttemptedRevision: OLD }, NEW)).toBe(false);
    expect(wasMovedOn(known, { lastAttemptedRevision: NEW }, NEW)).toBe(false);
    expect(wasMovedOn(known, { lastAttemptedRevision: NEW }, undefined)).toBe(false);
  });
});

function at(revision: string, resourceVersion: string): WithStatus {
  const type = { type: 'Ready', status: 'True', reason: 'ReconciliationSucceeded' };
  return {
    apiVersion: 'kustomize.toolkit.fluxcd.io/v1',
    kind: 'Kustomization',
    metadata: { name: 'app', namespace: 'apps', uid: 'uid', resourceVersion },
    status: {
      conditions: [
        { ...type, message: `Applied revision: ${revision}`, lastTransitionTime: '2026-01-01T00:00:00Z' },
      ],
      lastAppliedRevision: revision,
      lastAttemptedRevision: revision,
    },
  };
}

/** A server that refuses what was read before the last change. */
function serving(first: WithStatus) {
  let live = first;
  const part: Pick<KubeClient, 'get' | 'updateStatus'> = {
    get: <T extends KubernetesObject>() => Promise.resolve(live as unknown as T),
    updateStatus: <T extends KubernetesObject>(object: KubernetesObject) => {
      if (object.metadata.resourceVersion !== live.metadata.resourceVersion)
        return Promise.reject<T>(new KubeError(409, 'the object has been modified'));
      live = object as unknown as WithStatus;
      return Promise.resolve(object as unknown as T);
    },
  };
  return { client: part as KubeClient, live: () => live };
}
