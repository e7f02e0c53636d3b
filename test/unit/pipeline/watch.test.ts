import { expect, test } from 'vitest';
import type { ReconcileJob } from '../../../lib/core/job.ts';
import type { PartialObject, WatchEvent } from '../../../lib/kube/client.ts';
import { silentLog } from '../../../lib/log.ts';
import type { Context } from '../../../lib/pipeline/context.ts';
import { watchCluster } from '../../../lib/pipeline/watch.ts';
import { FINALIZER, REQUESTED_AT } from '../../../lib/toolkit/annotations.ts';

/** A Kustomization `app` that a run has taken up, as a watch shows it. */
function app(metadata: Partial<PartialObject['metadata']> = {}): PartialObject {
  return {
    apiVersion: 'kustomize.toolkit.fluxcd.io/v1',
    kind: 'Kustomization',
    metadata: {
      name: 'app',
      namespace: 'apps',
      uid: 'one',
      generation: 1,
      finalizers: [FINALIZER],
      ...metadata,
    },
  };
}

const modified = (metadata: Partial<PartialObject['metadata']>) => ({
  type: 'MODIFIED' as const,
  object: app(metadata),
});

/** The triggers of the jobs that are sent when a watch shows these events of an object that stood there before, unless it is told otherwise. */
async function sent(events: readonly WatchEvent<PartialObject>[], before = [app()]): Promise<string[]> {
  const stop = new AbortController();
  const jobs: ReconcileJob[] = [];
  const sleeping: (() => void)[] = [];
  const client = {
    resource: async ({ kind }: { kind: string }) => (kind === 'Kustomization' ? {} : undefined),
    listMetadata: async () => ({ items: before, resourceVersion: '1' }),
    async *watchMetadata() {
      yield* events;
      // The moment that new objects are given passes.
      for (const wake of sleeping.splice(0)) wake();
      await new Promise(setImmediate);
      stop.abort();
    },
  };
  const queue = {
    send: async (messages: { body: string }[]) =>
      void jobs.push(...messages.map(({ body }) => JSON.parse(body))),
  };
  const ctx = {
    signal: stop.signal,
    cluster: async () => ({ client, config: { name: 'production' } }),
    queues: { cluster: () => queue },
    sleep: (_ms: number, signal: AbortSignal) =>
      new Promise<void>((resolve, reject) => {
        if (signal.aborted) return reject(new Error('aborted'));
        sleeping.push(resolve);
        signal.addEventListener('abort', () => reject(new Error('aborted')));
      }),
    newId: () => 'id',
    now: () => 0,
    log: silentLog,
  } as unknown as Context;
  await watchCluster(ctx, 'production');
  return jobs.map(({ trigger }) => trigger);
}

test('statuses and annotations of others that change cause no job', async () => {
  expect(await sent([modified({ resourceVersion: '2' }), modified({ annotations: { other: 'x' } })])).toEqual(
    [],
  );
});

test('a change is one job, however often the object comes by while it is worked on', async () => {
  expect(
    await sent([modified({ generation: 2 }), modified({ generation: 2, resourceVersion: '3' })]),
  ).toEqual(['watch']);
});

test('somebody who asks for a run gets one for each time of asking', async () => {
  const asked = (at: string) => modified({ annotations: { [REQUESTED_AT]: at } });
  expect(await sent([asked('1'), asked('1'), asked('2')])).toEqual(['request', 'request']);
});

test('a request that stood there before the watch is left to the sweep', async () => {
  const before = app({ annotations: { [REQUESTED_AT]: '1' } });
  expect(await sent([{ type: 'MODIFIED', object: before }], [before])).toEqual([]);
});

test('an object that is being deleted is one job, and one that is gone another', async () => {
  const going = modified({ generation: 2, deletionTimestamp: '2026-01-01T00:00:00Z' });
  expect(await sent([going, going, { type: 'DELETED', object: going.object }])).toEqual(['watch', 'watch']);
});

test('a new object that a run takes up within a moment needs no job', async () => {
  const events = [{ type: 'ADDED' as const, object: app({ finalizers: [] }) }, modified({})];
  expect(await sent(events, [])).toEqual([]);
});

test('a new object that no run takes up was made by somebody else, and gets a job', async () => {
  const added = { type: 'ADDED' as const, object: app({ finalizers: [] }) };
  expect(await sent([added, modified({ finalizers: [], generation: 2 })], [])).toEqual(['watch']);
});

test('a new object that is asked for gets its job at once', async () => {
  const object = app({ finalizers: [], annotations: { [REQUESTED_AT]: '1' } });
  expect(await sent([{ type: 'ADDED', object }], [])).toEqual(['request']);
});

test('an object that no run has come to yet, and that was let go again, gets a job', async () => {
  const waiting = app({ finalizers: [] });
  expect(await sent([modified({ finalizers: [], generation: 2 })], [waiting])).toEqual(['watch']);
});
