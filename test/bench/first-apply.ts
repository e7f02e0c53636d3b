import process from 'node:process';
import { createAll, filesOf, NAMESPACE, type Sizes } from './cases.ts';
import { removeApps } from './floor.ts';
import { names } from './manifests.ts';
import { watchMemory } from './memory.ts';
import { type Figure, figure } from './report.ts';
import { resultOf } from './result-of.ts';
import type { Stage } from './stage.ts';

/** How many Kustomizations are tried to be written at a time, to find the best floor. */
const CONCURRENCIES = [8, 16, 32, 64];

/** A first apply, and the floor on the same API server: the mean of one just before it and one just after it, in ms. */
export interface Round extends Applied {
  floor: number;
}

interface Applied {
  ms: number;
  /** In MiB. */
  peak: number;
}

/**
 * 1,000 Kustomizations of four objects each for the first time, against the floor; and the most memory that took. A machine that others share
 * is faster in one minute than in the next, by more than what is looked for, and an API server gets slower by a tenth or so with what it has
 * been through: so each first apply stands between two floors, on an API server of its own, and of all rounds the one with the median ratio counts.
 */
export async function firstApply(stage: Stage, { apps, rounds: count }: Sizes): Promise<Figure[]> {
  const concurrency = await bestConcurrency(stage, Math.ceil(apps / 2));
  const rounds: Round[] = [];
  while (rounds.length < count)
    rounds.push(await resultOf<Round>('first-apply-process.ts', { apps, concurrency }, process.execArgv));
  // The other cases build on one.
  const last = await applyFirst(stage, apps);
  const ratios = rounds.map((round) => ratioOf(round).toFixed(2)).join(', ');
  const peak = Math.max(...[...rounds, last].map((each) => each.peak));
  const { ms, floor } = median(rounds);
  const against = `${apps * 8} raw writes, concurrency ${concurrency}`;
  return [
    figure('first-apply', ms, 'ms', floor, against, 1.5, [`rounds ${ratios}`]),
    figure('peak-memory', peak, 'MiB', 300, 'the bar'),
  ];
}

/** One round, on a stage on which nothing runs yet; nothing runs there any more afterwards. */
export async function measureRound(stage: Stage, apps: number, concurrency: number): Promise<Round> {
  await warmUp(stage, apps);
  const before = await floorOf(stage, apps, concurrency);
  const applied = await applyFirst(stage, apps);
  await stage.stopSlipway();
  await removeApps(stage.client, NAMESPACE, appNames(apps));
  const after = await floorOf(stage, apps, concurrency);
  return { ...applied, floor: (before + after) / 2 };
}

/** The concurrency at which the floor is lowest. Each is measured twice, there and back again, for the API server that gets slower. */
async function bestConcurrency(stage: Stage, apps: number): Promise<number> {
  await warmUp(stage, apps);
  const times = new Map<number, number>();
  for (const concurrency of [...CONCURRENCIES, ...CONCURRENCIES.toReversed()])
    times.set(concurrency, (times.get(concurrency) ?? 0) + (await floorOf(stage, apps, concurrency)));
  const [[best] = [0]] = [...times].sort(([, a], [, b]) => a - b);
  return best;
}

/** An API server that has just been started is slower. */
async function warmUp(stage: Stage, apps: number): Promise<void> {
  await floorOf(stage, Math.ceil(apps / 4), 16);
}

/** Leaves everything deployed. */
async function applyFirst(stage: Stage, apps: number): Promise<Applied> {
  const all = appNames(apps);
  const commit = await stage.repository.commit(filesOf(all, '1'), 'all applications');
  await stage.client.create({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: NAMESPACE } });
  await createAll(stage, all);
  const memory = watchMemory();
  const began = Date.now();
  stage.start();
  const ended = await stage.ready(all, commit);
  return { ms: ended - began, peak: memory.stop() };
}

function floorOf({ kubernetes: { connection } }: Stage, count: number, concurrency: number): Promise<number> {
  return resultOf<number>('floor-process.ts', { connection, count, concurrency });
}

function appNames(count: number): string[] {
  return names('app', count);
}

/** Of an even number the worse one. */
function median(rounds: readonly Round[]): Round {
  const sorted = rounds.toSorted((a, b) => ratioOf(a) - ratioOf(b));
  return sorted[Math.floor(sorted.length / 2)] as Round;
}

function ratioOf({ ms, floor }: Round): number {
  return ms / floor;
}
