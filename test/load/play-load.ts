import { readFile } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';
import { Chance } from '../simulation/chance.ts';
import { type CommitStatuses, StatusReader } from './commit-statuses.ts';
import { type Delivered, deliverPushes } from './deliver.ts';
import { differences } from './final-state.ts';
import type { Installation } from './installation.ts';
import { type LoadStage, setLoadStage } from './load-stage.ts';
import { stepsBack } from './order-of-writes.ts';
import { CREATED, effectOf, staleWrites, TOOK_EFFECT } from './stale-writes.ts';
import { type LoadSize, type Story, tellStory } from './story.ts';
import { type StrikeOptions, type Strikes, strikeWorkers } from './strikes.ts';
import { effectiveWrites } from './write.ts';

/** A load to be played. */
export interface LoadOptions {
  backend: Installation['backend'];
  size: LoadSize;
  strikes: StrikeOptions;
  /** Decides commits, deliveries and who is struck when. */
  seed: number;
  /** How long everything may take to become right once all is delivered, in ms. */
  settleMs: number;
  /** Leave the folder with the workers' logs. */
  keep?: boolean;
  /** Told how it goes on, a line at a time. */
  say(text: string): void;
}

/** What came of a load. */
export interface LoadReport extends Pick<LoadOptions, 'backend' | 'size' | 'seed'> {
  delivered: Delivered;
  strikes: Strikes;
  /** Runs that came to their end. */
  runs: number;
  /** Writes to the cluster, and those of them that changed something. */
  writes: number;
  effective: number;
  /** Writes of workers that had lost the right to them. */
  stale: number;
  /** Those of them by what became of them. */
  staleEffects: Record<string, number>;
  statuses: CommitStatuses['states'];
  deadLetters: number;
  /** From the first push to the last accepted delivery, and from there until everything was right: in ms. */
  loadMs: number;
  settledMs: number;
  /** What must not be, in sentences; empty when everything is as promised. */
  problems: string[];
}

/** So often it is looked whether everything is right, in ms. */
const LOOK_MS = 2_000;
/** So often it is said how far things are, in ms. */
const SAY_MS = 15_000;

/** Sets the stage, plays a load and looks at what came of it. */
export async function playLoad(options: LoadOptions): Promise<LoadReport> {
  const { backend, size, seed, say } = options;
  say(`${backend}: ${size.pushes} pushes over ${size.repositories * size.objects} objects, seed ${seed}`);
  const story = tellStory(size, seed);
  const stage = await setLoadStage(options, story);
  try {
    const { installation, evidence, repositories } = stage;
    const over = new AbortController();
    const began = Date.now();
    const saying = setInterval(() => say(progressOf(stage, began)), SAY_MS);
    const striking = strikeWorkers(
      installation,
      evidence,
      new Chance(seed + 1),
      options.strikes,
      over.signal,
    );
    const delivered = await deliverPushes(story, repositories, installation.url, over.signal).finally(() =>
      over.abort(),
    );
    const deliveredAt = Date.now();
    const strikes = await striking;
    say(`${seconds(deliveredAt - began)}: all is delivered, and nobody is struck any more`);
    const { statuses, problems } = await settle(stage, story, options);
    const settledAt = Date.now();
    clearInterval(saying);
    const stale = staleWrites(evidence);
    const effective = new Set(effectiveWrites(evidence.writes));
    const effects = stale.map((each) => ({ ...each, effect: effectOf(each, effective) }));
    const took = effects.filter(({ effect }) => effect === TOOK_EFFECT);
    const created = new Set(effects.filter(({ effect }) => effect === CREATED).map(({ write }) => write));
    const deadLetters = await installation.deadLetters();
    return {
      ...{ backend, size, seed, delivered, strikes, deadLetters: deadLetters.length },
      runs: await countRuns(installation),
      writes: evidence.writes.length,
      effective: effective.size,
      stale: stale.length,
      staleEffects: countBy(effects, ({ effect }) => effect),
      statuses: statuses.states,
      loadMs: deliveredAt - began,
      settledMs: settledAt - deliveredAt,
      problems: [
        ...problems,
        ...deadLetters.map((group) => `a job is a dead letter: ${group}`),
        ...stepsBack(
          evidence.writes.filter((write) => !created.has(write)),
          repositories,
        ),
        ...took.map(
          ({ write, lostTo }) =>
            `a ${write.method} of ${write.resource} ${write.namespace}/${write.name} by ${write.life.worker} (life ${write.life.number}) took effect at ${new Date(write.answeredAt).toISOString()}, though it had lost the lease to ${lostTo}`,
        ),
      ],
    };
  } finally {
    await stage.stop();
  }
}

/** Waits until everything is right, or the time is over. */
async function settle(
  { objects, repositories }: LoadStage,
  { pushes }: Story,
  { settleMs }: LoadOptions,
): Promise<{ statuses: CommitStatuses; problems: string[] }> {
  const delivered = pushes.filter(({ deliveries }) => deliveries.length > 0);
  const ids = delivered.map(({ team, commit }) => repositories.get(team.name)?.commits[commit] ?? '');
  const reader = new StatusReader(repositories.values(), new Set(ids));
  const deadline = Date.now() + settleMs;
  for (;;) {
    const isOver = Date.now() > deadline;
    const wrong = await differences(objects, repositories.values());
    if (isOver || (wrong.length === 0 && (await reader.lastAreGreen()))) {
      const statuses = await reader.read();
      const open = [...wrong, ...statuses.unfinished];
      if (isOver || open.length === 0) return { statuses, problems: [...open, ...statuses.problems] };
    }
    await delay(LOOK_MS);
  }
}

function progressOf({ evidence, installation }: LoadStage, began: number): string {
  const down = installation.workers.filter(({ isUp }) => !isUp).length;
  return `${seconds(Date.now() - began)}: ${evidence.writes.length} writes by ${evidence.lives.length} processes, ${down} of ${installation.workers.length} workers down`;
}

/** The ends of runs in the logs of all workers. */
async function countRuns({ workers }: Installation): Promise<number> {
  const logs = await Promise.all(workers.map(({ logFile }) => readFile(logFile, 'utf8')));
  return logs.join('\n').match(/"trigger":.*"result":/g)?.length ?? 0;
}

function countBy<T>(items: readonly T[], key: (item: T) => string): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const item of items) counts[key(item)] = (counts[key(item)] ?? 0) + 1;
  return counts;
}

export function seconds(ms: number): string {
  return `${Math.round(ms / 1_000)} s`;
}
