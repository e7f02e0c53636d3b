import { afterAll, beforeAll, expect, test } from 'vitest';
import { openIndex } from '../../../functions/open-index.ts';
import type { ReconcileJob, Trigger } from '../../../lib/core/job.ts';
import { KubeError } from '../../../lib/kube/errors.ts';
import { silentLog } from '../../../lib/log.ts';
import type { Context } from '../../../lib/pipeline/context.ts';
import { handleJob } from '../../../lib/pipeline/handle-job.ts';
import type { MemberResult, Rollout } from '../../../lib/store/rollouts.ts';
import { type TestSqlite, testSqlite } from '../../support/sqlite.ts';

let parts: TestSqlite;
beforeAll(async () => {
  parts = await testSqlite();
});
afterAll(() => parts.close());

const NOW = 100_000;
const APP = { group: 'kustomize.toolkit.fluxcd.io', kind: 'Kustomization', namespace: 'apps', name: 'app' };

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
  const job: ReconcileJob = { type: 'reconcile', cluster: 'prod', ...APP, trigger, requestedAt: 0 };
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

const READY: MemberResult = { state: 'ready', message: '', runId: 'run' };

/** What a commit shows after a job for `app` could not be done since the cluster does not answer; `app` stood at this before. */
async function shownAfter(before: MemberResult['state']): Promise<string | undefined> {
  const table = parts.freshTable();
  const index = openIndex(() => table, parts.clock.now, ['prod']);
  const source = 'GitRepository/apps/repo';
  const rollout: Rollout = {
    ...{ cluster: 'prod', source, commit: 'a'.repeat(40), destination: 'forge', project: 'owner/repo' },
    ...{ startedAt: 1, supersededBy: '' },
  };
  await index.subscriptions.put({
    ...{ cluster: 'prod', group: 'source.toolkit.fluxcd.io', kind: 'GitRepository', namespace: 'apps' },
    ...{ name: 'repo', repository: 'git.example.test/owner/repo', ref: {} },
  });
  await index.rollouts.open(rollout);
  await index.rollouts.add(rollout, [source, 'Kustomization/apps/app']);
  await index.rollouts.settle(rollout, source, READY);
  if (before === 'ready') await index.rollouts.settle(rollout, 'Kustomization/apps/app', READY);
  const sent: string[] = [];
  const ctx = {
    index,
    now: parts.clock.now,
    newId: () => 'id',
    holder: 'test',
    log: silentLog,
    signal: new AbortController().signal,
    fleet: { statuses: { prefix: 'slipway', objects: 'failing' }, server: {} },
    cluster: async () => {
      throw new KubeError(0, 'GET /api: connect ECONNREFUSED');
    },
    queues: {
      cluster: () => ({
        send: async (messages: { body: string }[]) => void sent.push(...messages.map(({ body }) => body)),
      }),
    },
  } as unknown as Context;
  await handleJob(ctx, { type: 'reconcile', cluster: 'prod', ...APP, trigger: 'source', requestedAt: 0 });
  expect(sent).toHaveLength(1);
  const entries = await index.outbox.pending('forge', 10);
  const status = entries.find(({ status: { context } }) => context === 'slipway/prod')?.status;
  return status && `${status.state}: ${status.description}`;
}

test('a commit that waits for an object whose cluster does not answer says so, and what has come to an end stays as it is', async () => {
  expect(await shownAfter('pending')).toMatch(
    /^failure: .*cluster prod cannot be used: GET \/api: connect ECONNREFUSED/,
  );
  expect(await shownAfter('ready')).toBeUndefined();
});
