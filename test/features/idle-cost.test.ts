import { afterAll, beforeAll, expect, test } from 'vitest';
import { openIndex } from '../../functions/open-index.ts';
import { Job } from '../../lib/core/job.ts';
import type { Context } from '../../lib/pipeline/context.ts';
import { handleJob } from '../../lib/pipeline/handle-job.ts';
import { tick } from '../../lib/pipeline/tick.ts';
import { idleDay } from '../simulation/idle/idle-day.ts';
import { configMap, configMaps, gitRepository, kustomization, yaml } from '../support/fleet-repository.ts';
import { type Objects, objectsOf } from '../support/kube-objects.ts';
import { type Kubernetes, startKubernetes } from '../support/kubernetes.ts';
import { type Meter, meteredTable } from '../support/metered-table.ts';
import { CLUSTER, live, openWorld, type World } from '../support/mortal.ts';

/** Of each kind, beside the roots. */
const OBJECTS = 9;
const MINUTES = 60;

/** How many objects each Kustomization applies, as in the simulated day. */
const APPLIED = 4;

/** By which part the simulated hour and the real one may differ. */
const APART = 0.1;

let kubernetes: Kubernetes;
let objects: Objects;
let world: World;

beforeAll(async () => {
  kubernetes = await startKubernetes();
  objects = objectsOf(kubernetes);
  world = await openWorld(kubernetes);
  world.commit('owner/fleet', { 'root.yaml': yaml(configMap('root', 'default', { value: '1' })) });
  const first = await live(world);
  await first.sweep();
  await first.drain();
  await objects.namespace('apps');
  for (let index = 0; index < OBJECTS; index += 1) {
    const name = `app-${index}`;
    world.commit(`owner/${name}`, { 'app/a.yaml': configMaps(name, 'apps', APPLIED) });
    await objects.create('gitrepositories', gitRepository(name, 'apps', world.url(`owner/${name}`)));
    const spec = { interval: '1h', sourceRef: { kind: 'GitRepository', name } };
    await objects.create('kustomizations', kustomization(name, './app', spec, 'apps'));
  }
  const second = await live(world);
  await second.sweep();
  await second.drain();
});
afterAll(async () => {
  await world?.close();
  await kubernetes?.stop();
});

interface Hour {
  tick: Meter;
  sweep: Meter;
  run: Meter;
  sweeps: number;
  /** Jobs that looked whether a source has moved. */
  runs: number;
}

/** Lets an hour pass in which nothing happens, with a tick every minute, and counts what each part asks of the table. */
async function idleHour(): Promise<Hour> {
  const { ctx: living } = await live(world);
  const hour: Hour = {
    tick: { reads: 0, writes: 0 },
    sweep: { reads: 0, writes: 0 },
    run: { reads: 0, writes: 0 },
    sweeps: 0,
    runs: 0,
  };
  const metered = (meter: Meter): Context => ({
    ...living,
    index: openIndex((name) => meteredTable(world.sqlite.table(name), meter), world.now, [CLUSTER]),
  });
  const [ticking, sweeping, running] = [metered(hour.tick), metered(hour.sweep), metered(hour.run)];
  const queue = living.queues.cluster(CLUSTER);
  for (let minute = 0; minute < MINUTES; minute += 1) {
    world.advance(60_000);
    await tick(ticking);
    for (;;) {
      const [message] = await queue.receive({ max: 1, waitMs: 0, visibilityMs: 60_000 });
      if (!message) break;
      const job = Job.parse(JSON.parse(message.body));
      if (job.type === 'sweep') hour.sweeps += 1;
      else hour.runs += 1;
      await handleJob(job.type === 'sweep' ? sweeping : running, job);
      await queue.acknowledge(message);
    }
  }
  return hour;
}

test('an idle hour on a real API server asks of the table what a simulated one does', async () => {
  const hour = await idleHour();
  expect(hour.sweeps).toBe(MINUTES);
  expect(hour.runs).toBeGreaterThan(MINUTES);
  const simulated = await idleDay(
    {
      clusters: 1,
      objects: 2 * OBJECTS + 2,
      sources: OBJECTS + 1,
      sourceInterval: '10m',
      sweepInterval: '1m',
    },
    MINUTES,
  );
  // Time stands still here while a job is done, so that sources come round more often than they do: what counts is each of the jobs.
  const real = (kind: keyof Meter) =>
    hour.tick[kind] + hour.sweep[kind] + (hour.run[kind] / hour.runs) * simulated.git;
  for (const kind of ['reads', 'writes'] as const) {
    const note = JSON.stringify({ hour, simulated });
    expect(simulated.table[kind], note).toBeGreaterThan(real(kind) * (1 - APART));
    expect(simulated.table[kind], note).toBeLessThan(real(kind) * (1 + APART));
  }
});
