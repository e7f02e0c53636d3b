import { expect, test } from 'vitest';
import type { ReconcileJob, Trigger } from '../../../lib/core/job.ts';
import type { Context } from '../../../lib/pipeline/context.ts';
import { handleJob } from '../../../lib/pipeline/handle-job.ts';

const NOW = 100_000;

/** Whether a job reaches its object, which is due in so many ms. */
async function runs(trigger: Trigger, dueInMs: number | undefined): Promise<boolean> {
  let taken = false;
  const ctx = {
    now: () => NOW,
    holder: 'test',
    index: {
      dueTimes: { get: async () => (dueInMs === undefined ? undefined : NOW + dueInMs) },
      leases: {
        acquire: async () => {
          taken = true;
        },
      },
    },
  } as unknown as Context;
  const ref = { group: 'kustomize.toolkit.fluxcd.io', kind: 'Kustomization', namespace: 'apps', name: 'app' };
  const job: ReconcileJob = { type: 'reconcile', cluster: 'prod', ...ref, trigger, requestedAt: 0 };
  await handleJob(ctx, job);
  return taken;
}

test.each<Trigger>(['due', 'retry', 'health', 'prune'])(
  'a job that was planned (%s) runs when it is time, and not when a run since then has planned a later one',
  async (trigger) => {
    expect(await runs(trigger, 0)).toBe(true);
    expect(await runs(trigger, undefined)).toBe(true);
    // Sent while a long run was under way: it would end the pause before the next try.
    expect(await runs(trigger, 5_000)).toBe(false);
  },
);

test.each<Trigger>(['push', 'source', 'dependency', 'sweep', 'watch', 'request'])(
  'a job for something that has happened (%s) runs whatever is planned',
  async (trigger) => {
    expect(await runs(trigger, 5_000)).toBe(true);
  },
);
