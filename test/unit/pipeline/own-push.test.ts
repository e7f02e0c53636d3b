import { describe, expect, it } from 'vitest';
import type { ToolkitRef } from '../../../lib/pipeline/object-key.ts';
import { noteOwnPush, ownPushSince } from '../../../lib/pipeline/own-push.ts';
import type { Run } from '../../../lib/pipeline/run.ts';

const [OLD, NEW] = ['a'.repeat(40), 'b'.repeat(40)] as const;
const SOURCE = refOf('GitRepository', 'fleet');
const AUTOMATION = refOf('ImageUpdateAutomation', 'bumps');

describe('a push of our own', () => {
  it('is seen by the run of its source that was under way when its job was sent', async () => {
    const runs = runsOfOneCluster();
    const source = runs.begin(SOURCE, 1_000);
    await noteOwnPush(runs.begin(AUTOMATION, 1_100), SOURCE, NEW);
    expect(await ownPushSince(source)).toBe(NEW);
  });

  it('is nothing new to a run that begins after it, nor to another source', async () => {
    const runs = runsOfOneCluster();
    const other = runs.begin(refOf('GitRepository', 'other'), 1_000);
    await noteOwnPush(runs.begin(AUTOMATION, 1_100), SOURCE, OLD);
    expect(await ownPushSince(runs.begin(SOURCE, 1_200))).toBeUndefined();
    expect(await ownPushSince(other)).toBeUndefined();
  });
});

function refOf(kind: string, name: string): ToolkitRef {
  return { group: '', kind, namespace: 'flux-system', name };
}

/** Runs that share an index; the clock stands where the last one began. */
function runsOfOneCluster() {
  const rows = new Map<string, unknown>();
  let time = 0;
  const keyOf = (partition: string, sort: string) => `${partition} ${sort}`;
  const table = {
    get: async (partition: string, sort: string) => {
      const value = rows.get(keyOf(partition, sort));
      return value === undefined ? undefined : { value };
    },
    put: async (partition: string, sort: string, value: unknown) => rows.set(keyOf(partition, sort), value),
  };
  return {
    begin(ref: ToolkitRef, startedAt: number): Run {
      time = startedAt;
      return {
        ref,
        startedAt,
        job: { cluster: 'prod' },
        ctx: { now: () => time, index: { rows: table } },
      } as unknown as Run;
    },
  };
}
