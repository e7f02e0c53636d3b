import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Rollout, type RolloutState, Rollouts } from '../../../lib/store/rollouts.ts';
import { type TestSqlite, testSqlite } from '../../support/sqlite.ts';

let parts: TestSqlite;
beforeAll(async () => {
  parts = await testSqlite();
});
afterAll(() => parts.close());

const SOURCE = 'GitRepository/flux-system/fleet';

function rollout(commit = 'a'.repeat(40), more: Partial<Rollout> = {}): Rollout {
  return {
    cluster: 'prod',
    source: SOURCE,
    commit,
    destination: 'github',
    project: 'team/fleet',
    startedAt: 1,
    supersededBy: '',
    ...more,
  };
}
function open(): Rollouts {
  return new Rollouts(parts.freshTable(), parts.clock.now);
}
const READY = { state: 'ready', message: '1 created', runId: 'run-1' } as const;
const FAILED = { state: 'failed', message: 'no', runId: 'run-2' } as const;

describe('a rollout', () => {
  test('is found by its commit, and unfinished until it is finished', async () => {
    const rollouts = open();
    await rollouts.open(rollout());
    await rollouts.open(rollout('b'.repeat(40)));
    await rollouts.open(rollout('c'.repeat(40), { cluster: 'staging' }));
    expect(await rollouts.get('prod', SOURCE, 'a'.repeat(40))).toEqual(rollout());
    expect(await rollouts.get('prod', SOURCE, 'c'.repeat(40))).toBeUndefined();
    expect(await rollouts.unfinished('prod', SOURCE)).toEqual([rollout(), rollout('b'.repeat(40))]);
    await rollouts.finish(await rollouts.read(rollout()));
    expect(await rollouts.isUnfinished(rollout())).toBe(false);
    expect(await rollouts.unfinished('prod', SOURCE)).toEqual([rollout('b'.repeat(40))]);
    expect(await rollouts.get('prod', SOURCE, 'a'.repeat(40))).toEqual(rollout());
  });

  test('is closed by the commit that took over, unless a push has come back to it since it was read', async () => {
    const rollouts = open();
    await rollouts.open(rollout());
    const [read] = await rollouts.unfinished('prod', SOURCE);
    if (!read) throw new Error('it is not there');
    await rollouts.open(rollout(undefined, { startedAt: 2 }));
    expect(await rollouts.close(read, 'b'.repeat(40))).toBeUndefined();
    expect(await rollouts.get('prod', SOURCE, 'a'.repeat(40))).toMatchObject({ supersededBy: '' });
    const again = rollout(undefined, { startedAt: 2 });
    const closed = { ...again, supersededBy: 'b'.repeat(40) };
    expect(await rollouts.close(again, 'b'.repeat(40))).toEqual(closed);
    expect(await rollouts.unfinished('prod', SOURCE)).toEqual([closed]);
  });

  test('has members that are pending until they are settled', async () => {
    const rollouts = open();
    await rollouts.open(rollout());
    await rollouts.add(rollout(), ['Kustomization/apps/b', 'Kustomization/apps/a']);
    expect(await rollouts.settle(rollout(), 'Kustomization/apps/a', FAILED)).toEqual({
      before: 'pending',
      state: 'failed',
      hasFailed: true,
    });
    expect(await rollouts.settle(rollout(), 'Kustomization/apps/a', FAILED)).toBeUndefined();
    expect(await rollouts.settle(rollout(), 'Kustomization/apps/a', READY)).toEqual({
      before: 'failed',
      state: 'ready',
      hasFailed: true,
    });
    expect(await rollouts.settle(rollout(), 'Kustomization/apps/none', READY)).toBeUndefined();
    expect(await rollouts.members(rollout())).toEqual([
      { key: 'Kustomization/apps/a', ...READY, hasFailed: true },
      { key: 'Kustomization/apps/b', state: 'pending', message: '', runId: '', hasFailed: false },
    ]);
  });

  test('tells anew of a ready member only when what is left to be desired has changed', async () => {
    const rollouts = open();
    await rollouts.open(rollout());
    await rollouts.add(rollout(), ['a']);
    await rollouts.settle(rollout(), 'a', READY);
    const later = { ...READY, message: '1 unchanged', runId: 'run-3' };
    expect(await rollouts.settle(rollout(), 'a', later)).toBeUndefined();
    expect(await rollouts.settle(rollout(), 'a', { ...later, notice: 'left' })).toMatchObject({
      state: 'ready',
    });
    expect(await rollouts.settle(rollout(), 'a', { ...later, notice: 'left' })).toBeUndefined();
    expect((await rollouts.members(rollout()))[0]).toMatchObject({ message: '1 created', notice: 'left' });
    expect(await rollouts.settle(rollout(), 'a', later)).toMatchObject({ state: 'ready' });
    expect((await rollouts.members(rollout()))[0]).not.toHaveProperty('notice');
  });

  test('keeps settled members when they are added once more, unless they are to run again', async () => {
    const rollouts = open();
    await rollouts.open(rollout());
    await rollouts.add(rollout(), ['a', 'b']);
    await rollouts.settle(rollout(), 'a', FAILED);
    await rollouts.add(rollout(), ['a', 'b', 'c']);
    expect((await rollouts.members(rollout())).map(({ state }) => state)).toEqual([
      'failed',
      'pending',
      'pending',
    ]);
    await rollouts.add(rollout(), ['a'], { again: true });
    expect((await rollouts.members(rollout()))[0]).toMatchObject({ state: 'pending', hasFailed: true });
  });

  test('tells without reading its members whether some may be on their way', async () => {
    const rollouts = open();
    await rollouts.open(rollout());
    expect(await rollouts.mayBePending(rollout())).toBe(false);
    await rollouts.add(rollout(), ['a', 'b']);
    await rollouts.settle(rollout(), 'a', FAILED);
    await rollouts.settle(rollout(), 'a', { ...READY, state: 'pending' });
    expect(await rollouts.mayBePending(rollout())).toBe(true);
    await rollouts.settle(rollout(), 'b', READY);
    await rollouts.add(rollout(), ['b']);
    expect(await rollouts.mayBePending(rollout())).toBe(false);
    await rollouts.add(rollout(), ['b'], { again: true });
    expect(await rollouts.mayBePending(rollout())).toBe(true);
  });

  test('loses no result to members that are added at the same time', async () => {
    const rollouts = open();
    await rollouts.open(rollout());
    const keys = Array.from({ length: 50 }, (_, index) => `member-${index}`);
    await rollouts.add(rollout(), keys);
    await Promise.all([
      ...keys.map((key) => rollouts.settle(rollout(), key, READY)),
      rollouts.add(rollout(), keys),
      rollouts.add(rollout(), keys),
    ]);
    expect((await rollouts.members(rollout())).every(({ state }) => state === 'ready')).toBe(true);
    expect(await rollouts.mayBePending(rollout())).toBe(false);
  });

  test('keeps a result that comes between the look and the write of another worker', async () => {
    const real = parts.freshTable();
    const rollouts = new Rollouts(real, parts.clock.now);
    await rollouts.open(rollout());
    let raced = false;
    const racing: typeof real = {
      ...real,
      async put(partition, sort, value, options) {
        if (sort === 'a' && !raced) {
          raced = true;
          await rollouts.add(rollout(), ['a']);
          await rollouts.settle(rollout(), 'a', READY);
        }
        return real.put(partition, sort, value, options);
      },
    };
    await new Rollouts(racing, parts.clock.now).add(rollout(), ['a']);
    expect(await rollouts.members(rollout())).toMatchObject([READY]);
  });

  test('does not run a member again that is settled between the look and the write, once that is known', async () => {
    const real = parts.freshTable();
    const rollouts = new Rollouts(real, parts.clock.now);
    await rollouts.open(rollout());
    await rollouts.add(rollout(), ['a']);
    await rollouts.settle(rollout(), 'a', FAILED);
    let isSent = false;
    const racing: typeof real = {
      ...real,
      async put(partition, sort, value, options) {
        if (sort === 'a' && value !== '' && !isSent) {
          isSent = true;
          await rollouts.settle(rollout(), 'a', READY);
        }
        return real.put(partition, sort, value, options);
      },
    };
    await new Rollouts(racing, parts.clock.now).add(rollout(), ['a'], { again: async () => !isSent });
    expect(await rollouts.members(rollout())).toMatchObject([READY]);
    expect(await rollouts.mayBePending(rollout())).toBe(false);
  });

  test('gives every later state a higher sequence', async () => {
    const rollouts = open();
    const sequences: number[] = [];
    const look = async () => sequences.push((await rollouts.read(rollout())).sequence);
    await look();
    await rollouts.open(rollout());
    await look();
    await rollouts.add(rollout(), ['a', 'b']);
    await look();
    await rollouts.settle(rollout(), 'a', READY);
    await look();
    await rollouts.add(rollout(), ['a'], { again: true });
    await look();
    await rollouts.settle(rollout(), 'b', FAILED);
    await look();
    await rollouts.open(rollout(undefined, { supersededBy: 'b'.repeat(40) }));
    await look();
    expect(sequences).toEqual([...new Set(sequences)].sort((left, right) => left - right));
    const { rollout: seen } = await rollouts.read(rollout());
    expect(seen.supersededBy).toBe('b'.repeat(40));
    const before = (await rollouts.read(rollout())).sequence;
    await rollouts.settle(rollout(), 'b', FAILED);
    expect((await rollouts.read(rollout())).sequence).toBe(before);
  });

  test('is not finished by a worker that has not seen its new members', async () => {
    const rollouts = open();
    await rollouts.open(rollout());
    await rollouts.add(rollout(), ['a']);
    await rollouts.settle(rollout(), 'a', READY);
    const seen = await rollouts.read(rollout());
    await rollouts.add(rollout(), ['b']);
    await rollouts.finish(seen);
    expect(await rollouts.unfinished('prod', SOURCE)).toHaveLength(1);
    await rollouts.finish(await rollouts.read(rollout()));
    expect(await rollouts.unfinished('prod', SOURCE)).toEqual([]);
    await rollouts.add(rollout(), ['a'], { again: true });
    expect(await rollouts.unfinished('prod', SOURCE)).toHaveLength(1);
  });

  test.each([
    ['a member is on its way again', 'a', { state: 'pending', message: 'waits', runId: 'run-2' }],
    ['its source has failed', SOURCE, FAILED],
  ] as const)('is not finished by a worker that has not seen that %s', async (_what, key, result) => {
    const rollouts = open();
    await rollouts.open(rollout());
    await rollouts.add(rollout(), ['a', SOURCE]);
    await rollouts.settle(rollout(), 'a', READY);
    await rollouts.settle(rollout(), SOURCE, READY);
    const seen = await rollouts.read(rollout());
    await rollouts.settle(rollout(), key, result);
    await rollouts.finish(seen);
    expect(await rollouts.isUnfinished(rollout())).toBe(true);
  });

  test('is not finished by a worker that has read it between the writes of whoever opens it anew', async () => {
    const table = parts.freshTable();
    const rollouts = new Rollouts(table, parts.clock.now);
    await rollouts.open(rollout());
    await rollouts.close(rollout(), 'b'.repeat(40));
    let seen: RolloutState | undefined;
    const put = table.put.bind(table);
    table.put = async (...args) => {
      // The mark is written, the rollout not yet.
      if ((args[2] as Partial<Rollout>).startedAt === 2) seen = await rollouts.read(rollout());
      return put(...args);
    };
    await rollouts.open(rollout(undefined, { startedAt: 2 }));
    expect(seen?.rollout.supersededBy).not.toBe('');
    if (seen) await rollouts.finish(seen);
    expect(await rollouts.isUnfinished(rollout())).toBe(true);
  });

  test('is forgotten after thirty days', async () => {
    const rollouts = open();
    await rollouts.open(rollout());
    await rollouts.add(rollout(), ['a']);
    parts.clock.advance(30 * 24 * 3_600_000);
    expect(await rollouts.get('prod', SOURCE, 'a'.repeat(40))).toBeUndefined();
    expect(await rollouts.unfinished('prod', SOURCE)).toEqual([]);
    expect(await rollouts.members(rollout())).toEqual([]);
  });
});
