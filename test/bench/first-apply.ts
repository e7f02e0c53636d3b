import process from 'node:process';
import { createAll, filesOf, NAMESPACE, type Sizes } from './cases.ts';
import type { Floor } from './floor.ts';
import { names } from './manifests.ts';
import { watchMemory } from './memory.ts';
import { type Figure, figure } from './report.ts';
import { resultOf } from './result-of.ts';
import type { Stage } from './stage.ts';

/** A first apply, and the floor on the same API server just before it. */
export interface Round {
  ms: number;
  floor: Floor;
  /** In MiB. */
  peak: number;
}

/**
 * 1,000 Kustomizations of four objects each for the first time, against the floor; and the most memory that took. A machine that others share
 * is faster in one minute than in the next, by more than what is looked for, and a first apply comes a minute after the middle of its floor:
 * so the round with the median ratio counts. Each has an API server and a Slipway of its own; the last one is on the stage of the other cases.
 */
export async function firstApply(stage: Stage, { apps, rounds: count }: Sizes): Promise<Figure[]> {
  const rounds: Round[] = [];
  while (rounds.length < count - 1)
    rounds.push(await resultOf<Round>('first-apply-process.ts', { apps }, process.execArgv));
  rounds.push(await applyFirst(stage, apps));
  const ratios = rounds.map((round) => ratioOf(round).toFixed(2)).join(', ');
  const peak = Math.max(...rounds.map((round) => round.peak));
  const { ms, floor } = median(rounds);
  const against = `${apps * 8} raw writes, concurrency ${floor.concurrency}`;
  return [
    figure('first-apply', ms, 'ms', floor.ms, against, 1.5, [`rounds ${ratios}`]),
    figure('peak-memory', peak, 'MiB', 300, 'the bar'),
  ];
}

/** One round, on a stage on which nothing runs yet; it leaves everything deployed. */
export async function applyFirst(stage: Stage, apps: number): Promise<Round> {
  const { connection } = stage.kubernetes;
  const floor = await resultOf<Floor>('floor-process.ts', { connection, count: apps });
  const all = names('app', apps);
  const commit = await stage.repository.commit(filesOf(all, '1'), 'all applications');
  await stage.client.create({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: NAMESPACE } });
  await createAll(stage, all);
  const memory = watchMemory();
  const began = Date.now();
  stage.start();
  const ended = await stage.ready(all, commit);
  return { ms: ended - began, floor, peak: memory.stop() };
}

/** Of an even number the worse one. */
function median(rounds: readonly Round[]): Round {
  const sorted = rounds.toSorted((a, b) => ratioOf(a) - ratioOf(b));
  return sorted[Math.floor(sorted.length / 2)] as Round;
}

function ratioOf({ ms, floor }: Round): number {
  return ms / floor.ms;
}
