import { describe, expect, test } from 'vitest';
import { KubeError } from '../../../lib/kube/errors.ts';
import { fence } from '../../../lib/pipeline/fence.ts';
import { Outdated } from '../../../lib/pipeline/finalize.ts';
import type { Run } from '../../../lib/pipeline/run.ts';
import type { WithStatus } from '../../../lib/pipeline/status.ts';

const OBJECT: WithStatus = {
  apiVersion: 'kustomize.toolkit.fluxcd.io/v1',
  kind: 'Kustomization',
  metadata: { name: 'app', namespace: 'shop', generation: 2, resourceVersion: '7' },
  status: { lastAppliedRevision: 'main@sha1:a' },
};

/** A run whose status writes are answered with a code; 0: they are taken. */
function aRun(ranOut: boolean, code = 0) {
  const written: WithStatus[] = [];
  const client = {
    async updateStatus(object: WithStatus) {
      if (code !== 0) throw new KubeError(code, 'refused');
      written.push(object);
      return { ...object, metadata: { ...object.metadata, resourceVersion: '8' } };
    },
  };
  const run = { id: 'second', lease: { ranOut }, client, ctx: { now: () => 0 }, seen: { generation: 2 } };
  return { run: run as unknown as Run, written };
}

describe('an object whose lease', () => {
  test('ran out is written to first, at the version that was read, and keeps its status', async () => {
    const { run, written } = aRun(true);
    expect((await fence(run, OBJECT)).metadata.resourceVersion).toBe('8');
    expect(written).toMatchObject([
      {
        metadata: { resourceVersion: '7' },
        status: {
          lastAppliedRevision: 'main@sha1:a',
          conditions: [{ type: 'Reconciling', message: expect.stringContaining('run second') }],
        },
      },
    ]);
  });

  test('was given back is left alone', async () => {
    const { run, written } = aRun(false);
    expect(await fence(run, OBJECT)).toBe(OBJECT);
    expect(written).toEqual([]);
  });

  test.each([404, 409])(
    'ran out is read again where the write is answered with %i: its spec may be another',
    async (code) => {
      await expect(fence(aRun(true, code).run, OBJECT)).rejects.toBeInstanceOf(Outdated);
    },
  );

  test('ran out and which may not be written to fails as it is', async () => {
    await expect(fence(aRun(true, 403).run, OBJECT)).rejects.toBeInstanceOf(KubeError);
  });
});
