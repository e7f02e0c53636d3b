import { afterAll, beforeAll, expect, test } from 'vitest';
import type { ReconcileJob } from '../../lib/core/job.ts';
import { silentLog } from '../../lib/log.ts';
import type { Context } from '../../lib/pipeline/context.ts';
import { enqueue, reconcileJob } from '../../lib/pipeline/enqueue.ts';
import { work } from '../../lib/pipeline/worker.ts';
import { type TestSqlite, testSqlite } from '../support/sqlite.ts';

const NOISE = 5_000;
const CONCURRENCY = 8;

let parts: TestSqlite;
beforeAll(async () => {
  parts = await testSqlite();
});
afterAll(() => parts.close());

/** What sending and taking jobs needs of a context. */
function contextOf(signal: AbortSignal, name: string): Context {
  const queue = parts.sqlite.queue(name);
  let ids = 0;
  const context: Pick<Context, 'queues' | 'log' | 'now' | 'newId' | 'signal' | 'sleep'> = {
    queues: { push: queue, cluster: () => queue },
    log: silentLog,
    now: parts.clock.now,
    newId() {
      ids += 1;
      return `id-${ids}`;
    },
    signal,
    sleep: async () => undefined,
  };
  return context as Context;
}

function kustomization(ctx: Context, namespace: string, name: string): { job: ReconcileJob } {
  const ref = { group: 'kustomize.toolkit.fluxcd.io', kind: 'Kustomization', namespace, name };
  return { job: reconcileJob(ctx, 'production', ref, 'push') };
}

test('jobs of one namespace that never end leave room for those of others', async () => {
  const stop = new AbortController();
  const ctx = contextOf(stop.signal, 'hanging');
  await enqueue(
    ctx,
    Array.from({ length: 100 }, (_, index) => kustomization(ctx, 'hanging', `app-${index}`)),
  );
  const { promise: never, resolve: end } = Promise.withResolvers<'done'>();
  const handled: string[] = [];
  const working = work(ctx, ctx.queues.cluster('production'), CONCURRENCY, async (job) => {
    const { namespace, name } = job as ReconcileJob;
    handled.push(namespace);
    if (namespace === 'hanging') {
      // Its share is used up, and the others come.
      if (handled.length === CONCURRENCY)
        await enqueue(
          ctx,
          Array.from({ length: 20 }, (_, index) => kustomization(ctx, 'quiet', `app-${index}`)),
        );
      return never;
    }
    if (name === 'app-19') {
      stop.abort();
      end('done');
    }
    return 'done';
  });
  await working;
  expect(handled.filter((namespace) => namespace === 'quiet')).toHaveLength(20);
  expect(handled.filter((namespace) => namespace === 'hanging')).toHaveLength(CONCURRENCY);
}, 60_000);

test('thousands of jobs of one namespace do not hold up the push of another', async () => {
  const stop = new AbortController();
  const ctx = contextOf(stop.signal, 'noisy');
  await enqueue(
    ctx,
    Array.from({ length: NOISE }, (_, index) => kustomization(ctx, 'noisy', `app-${index}`)),
  );
  const handled: string[] = [];
  let quietSentAt = 0;
  await work(ctx, ctx.queues.cluster('production'), CONCURRENCY, async (job) => {
    const { namespace } = job as ReconcileJob;
    handled.push(namespace);
    // While the noise is being worked off, another tenant pushes.
    if (handled.length === 100) {
      quietSentAt = handled.length;
      await enqueue(ctx, [kustomization(ctx, 'quiet', 'shop'), kustomization(ctx, 'quiet', 'blog')]);
    }
    // Every job of the noisy tenant fails and comes again: that does not help it either.
    else if (namespace === 'noisy' && handled.length > 100)
      await enqueue(ctx, [{ job: job as ReconcileJob }]);
    if (handled.filter((each) => each === 'quiet').length === 2) stop.abort();
    return 'done';
  });
  const places = handled.flatMap((namespace, place) => (namespace === 'quiet' ? [place] : []));
  expect(places).toHaveLength(2);
  // Behind what the workers had in hand, and one job of the noisy tenant for each of its own.
  expect((places[0] ?? 0) - quietSentAt).toBeLessThanOrEqual(2 * CONCURRENCY);
  expect((places[1] ?? 0) - quietSentAt).toBeLessThanOrEqual(3 * CONCURRENCY);
}, 60_000);
