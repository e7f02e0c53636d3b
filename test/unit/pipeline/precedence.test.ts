import { describe, expect, it } from 'vitest';
import type { ClusterConnection } from '../../../lib/pipeline/context.ts';
import { giveWay, takePrecedence } from '../../../lib/pipeline/precedence.ts';
import type { Run } from '../../../lib/pipeline/run.ts';

describe('bookkeeping beside runs', () => {
  it('goes on at once when no other run of the cluster is under way', async () => {
    const cluster = clusterNamed('prod');
    const own = runOf(cluster);
    takePrecedence(own);
    takePrecedence(runOf(clusterNamed('staging')));
    await giveWay(own);
    expect(own.rests).toEqual([]);
  });

  it('goes on as soon as the last of the others has ended', async () => {
    const cluster = clusterNamed('prod');
    const own = runOf(cluster);
    const ends = [takePrecedence(runOf(cluster)), takePrecedence(runOf(cluster))];
    const order: string[] = [];
    const given = giveWay(own).then(() => order.push('went on'));
    for (const [index, end] of ends.entries()) {
      await Promise.resolve();
      order.push(`run ${index + 1} ends`);
      end();
    }
    await given;
    expect(order).toEqual(['run 1 ends', 'run 2 ends', 'went on']);
  });

  it('goes on after a tenth of a second where runs never end, so that it comes to its own', async () => {
    const cluster = clusterNamed('prod');
    const own = runOf(cluster, { isRested: true });
    takePrecedence(runOf(cluster));
    await giveWay(own);
    expect(own.rests).toEqual([100]);
  });

  it('gives way neither to other bookkeeping nor to what comes by the clock', async () => {
    const cluster = clusterNamed('prod');
    const [own, other] = [runOf(cluster), runOf(cluster)];
    takePrecedence(other);
    takePrecedence(runOf(cluster, { trigger: 'due' }));
    await giveWay(other);
    await giveWay(own);
    expect(own.rests).toEqual([]);
  });

  it('ends at once when the process is stopped', async () => {
    const cluster = clusterNamed('prod');
    const stop = new AbortController();
    const own = runOf(cluster, { signal: stop.signal });
    takePrecedence(runOf(cluster));
    const given = giveWay(own);
    stop.abort();
    await expect(given).resolves.toBeUndefined();
  });
});

function clusterNamed(name: string): ClusterConnection {
  return { config: { name } } as ClusterConnection;
}

interface Options {
  trigger?: string;
  signal?: AbortSignal;
  /** Its rests end by themselves rather than by being woken. */
  isRested?: boolean;
}

/** A run, and how long it has rested each time, in ms. */
function runOf(
  cluster: ClusterConnection,
  { trigger = 'source', signal = new AbortController().signal, isRested = false }: Options = {},
): Run & { rests: number[] } {
  const rests: number[] = [];
  const sleep = (ms: number, until?: AbortSignal) => {
    rests.push(ms);
    if (isRested) return Promise.resolve();
    return new Promise<void>((_resolve, reject) => {
      until?.addEventListener('abort', () => reject(until.reason));
    });
  };
  return { cluster, job: { trigger }, signal, ctx: { sleep }, rests } as unknown as Run & { rests: number[] };
}
