import { expect, test } from 'vitest';
import { openIndex } from '../../../functions/open-index.ts';
import type { ClusterConnection, Context } from '../../../lib/pipeline/context.ts';
import { healRollouts } from '../../../lib/pipeline/heal-rollouts.ts';
import type { WithStatus } from '../../../lib/pipeline/status.ts';
import type { Rollout } from '../../../lib/store/rollouts.ts';
import { type Meter, meteredTable } from '../../support/metered-table.ts';
import { testSqlite } from '../../support/sqlite.ts';

const SOURCE = 'GitRepository/apps/repo';
const GONE = 'Kustomization/apps/gone';
const PUSHES = 100;

test('a sweep does not look at each of the pushes that stand in line, and still comes to all of them', async () => {
  const parts = await testSqlite();
  const meter: Meter = { reads: 0, writes: 0 };
  const table = meteredTable(parts.freshTable(), meter);
  const index = openIndex(() => table, parts.clock.now, ['prod']);
  const rolloutOf = (number: number): Rollout => ({
    ...{ cluster: 'prod', source: SOURCE, destination: 'forge', project: 'owner/repo', supersededBy: '' },
    commit: String(number).padStart(40, '0'),
    startedAt: number,
  });
  // Each waits for an object that is not there any more.
  for (let number = 0; number < PUSHES; number++) {
    await index.rollouts.open(rolloutOf(number));
    await index.rollouts.add(rolloutOf(number), [GONE]);
  }
  let sweeps = 0;
  const ctx = {
    index,
    fleet: { statuses: { prefix: 'slipway', objects: 'failing' }, server: {} },
    now: parts.clock.now,
    holder: 'worker',
    random: () => (sweeps * 0.37) % 1,
  } as unknown as Context;
  const cluster = {
    config: { name: 'prod' },
    client: { get: async () => undefined },
  } as unknown as ClusterConnection;
  const objects = [
    {
      apiVersion: 'source.toolkit.fluxcd.io/v1',
      kind: 'GitRepository',
      metadata: { name: 'repo', namespace: 'apps' },
    },
  ] as WithStatus[];
  const left = async () => (await index.rollouts.unfinished('prod', SOURCE)).length;
  meter.reads = 0;
  await healRollouts(ctx, cluster, objects);
  // To find them takes a read each; to look at each would take ten.
  expect(meter.reads).toBeLessThan(2 * PUSHES);
  const newest = await index.rollouts.members(rolloutOf(PUSHES - 1));
  expect(newest).toMatchObject([{ state: 'ready', message: 'deleted' }]);
  for (sweeps = 1; sweeps < 100 && (await left()) > 0; sweeps++) await healRollouts(ctx, cluster, objects);
  expect(await left()).toBe(0);
  await parts.close();
});

const COMMITS = ['a', 'b', 'c'].map((digit) => digit.repeat(40)) as [string, string, string];

/**
 * What stands in `supersededBy` of the commits a, b and c, which were pushed in this order, after a sweep that saw the source at one of them.
 * @param since when the source came to it
 */
async function supersededBy(listed: string, live: string, since = ''): Promise<(string | undefined)[]> {
  const parts = await testSqlite();
  const index = openIndex(() => parts.freshTable(), parts.clock.now, ['prod']);
  for (const [startedAt, commit] of COMMITS.entries()) {
    const rollout: Rollout = {
      ...{ cluster: 'prod', source: SOURCE, destination: 'forge', project: 'owner/repo', supersededBy: '' },
      commit,
      startedAt,
    };
    await index.rollouts.open(rollout);
    await index.rollouts.add(rollout, [SOURCE]);
  }
  const ctx = {
    index,
    fleet: { statuses: { prefix: 'slipway', objects: 'failing' }, server: {} },
    now: parts.clock.now,
    holder: 'worker',
    random: () => 0,
  } as unknown as Context;
  const sourceAt = (commit: string) =>
    ({
      apiVersion: 'source.toolkit.fluxcd.io/v1',
      kind: 'GitRepository',
      metadata: { name: 'repo', namespace: 'apps' },
      status: { artifact: { revision: `main@sha1:${commit}`, digest: 'sha256:0', lastUpdateTime: since } },
    }) as unknown as WithStatus;
  const cluster = {
    config: { name: 'prod' },
    client: { get: async () => sourceAt(live) },
  } as unknown as ClusterConnection;
  await healRollouts(ctx, cluster, [sourceAt(listed)]);
  const found = await Promise.all(
    COMMITS.map(async (commit) => {
      const rollout = await index.rollouts.get('prod', SOURCE, commit);
      if (rollout) expect(await index.rollouts.isUnfinished(rollout)).toBe(rollout.supersededBy === '');
      return rollout?.supersededBy;
    }),
  );
  await parts.close();
  return found;
}

test('a sweep closes a rollout that was opened again after another commit took over, and not one that a push has announced', async () => {
  const [, current] = COMMITS;
  expect(await supersededBy(current, current)).toEqual([current, '', '']);
});

test('a sweep whose list is older closes nothing that the source has come back to since', async () => {
  const [first, current] = COMMITS;
  expect(await supersededBy(current, first)).toEqual(['', '', '']);
});

test('a sweep closes what began before the source came to a commit of which no push was told', async () => {
  const unannounced = 'd'.repeat(40);
  expect(await supersededBy(unannounced, unannounced, '2026-01-01T00:00:00Z')).toEqual([
    unannounced,
    unannounced,
    unannounced,
  ]);
  expect(await supersededBy(unannounced, unannounced, '1970-01-01T00:00:00Z')).toEqual([unannounced, '', '']);
  expect(await supersededBy(unannounced, unannounced)).toEqual(['', '', '']);
});
