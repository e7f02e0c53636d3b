import { setTimeout as delay } from 'node:timers/promises';
import type { Chance } from '../simulation/chance.ts';
import type { Evidence } from './evidence.ts';
import type { Installation } from './installation.ts';
import type { HeldWrite, LoadWorker } from './load-worker.ts';
import { overrules, ownerOf } from './stale-writes.ts';
import { isSuccess, type Write } from './write.ts';

/** How often something happens to a worker, and what. */
export interface StrikeOptions {
  /** Between two strikes on average, in ms. */
  everyMs: number;
  /** The part of the strikes that freeze a worker beyond its leases instead of killing it. */
  pauses: number;
  /** The part of the strikes that come while a write is on its way, which is then kept back until another process has taken over. */
  inWrite: number;
}

/** What was done. */
export interface Strikes {
  kills: number;
  pauses: number;
  /** Writes that were kept back. */
  held: number;
}

/** The part of the writes to catch that may be any, such as one of a status; the others are of what a commit has brought. */
const ANY_WRITE = 0.25;
/** For so long a write to catch is waited for, in ms. */
const CATCH_MS = 3_000;
/** For so long it is waited for a newer write; what creates an object is looked for by the new holder for a minute. */
const NEWER_MS = 40_000;
/** So long after that a write is let go at the latest, in ms. */
const AFTER_TAKEOVER_MS = 1_000;
/** So much longer than its leases a worker may be frozen, in ms. */
const LONGER_MS = 15_000;

/** Kills and freezes workers until the signal aborts; resolves once all of them are up again. */
export async function strikeWorkers(
  { workers, pauseMs, mostPaused }: Installation,
  evidence: Evidence,
  chance: Chance,
  options: StrikeOptions,
  signal: AbortSignal,
): Promise<Strikes> {
  const strikes: Strikes = { kills: 0, pauses: 0, held: 0 };
  const underWay = new Set<Promise<void>>();
  let paused = 0;

  async function strike(worker: LoadWorker, pauses: boolean, inWrite: boolean): Promise<void> {
    const catching = AbortSignal.any([signal, AbortSignal.timeout(CATCH_MS)]);
    const isAny = chance.next() < ANY_WRITE;
    const fits = (resource: string) => isAny || resource === 'configmaps';
    const held = inWrite ? await worker.trapNextWrite(fits, catching) : undefined;
    const released = held ? releaseAfterTakeover(worker, held, chance.next()) : undefined;
    if (held) strikes.held += 1;
    if (pauses) {
      strikes.pauses += 1;
      worker.pause();
      // Not cut short by the end of the load: a frozen worker is to find its leases lost.
      await delay(pauseMs + chance.next() * LONGER_MS);
      worker.resume();
    } else {
      strikes.kills += 1;
      await worker.kill();
      await worker.start();
    }
    await released;
  }

  /** Lets a write go in the midst of what the new holder does, or once that has written something newer to the same object. */
  async function releaseAfterTakeover({ life }: LoadWorker, held: HeldWrite, when: number): Promise<void> {
    const owner = ownerOf(held);
    const isOthers = (write: Write) => write.life !== life && ownerOf(write) === owner && isSuccess(write);
    await evidence.next(isOthers, AbortSignal.timeout(pauseMs + LONGER_MS));
    const isNewer = (write: Write) =>
      isOthers(write) && overrules(write, held) && (held.commit ?? -1) < (write.commit ?? 0);
    if (when > 0.3) await evidence.next(isNewer, AbortSignal.timeout(NEWER_MS));
    await delay(when * AFTER_TAKEOVER_MS);
    held.release();
  }

  for (;;) {
    await delay(options.everyMs * (0.5 + chance.next()), undefined, { signal }).catch(() => undefined);
    if (signal.aborted) break;
    const up = workers.filter(({ isUp }) => isUp);
    const worker = up[chance.below(up.length)];
    const pauses = chance.next() < options.pauses && paused < mostPaused;
    // Where there is but one worker, nobody takes over from one that is only frozen.
    const inWrite = chance.next() < options.inWrite && !(pauses && workers.length === 1);
    if (!worker) continue;
    worker.isUp = false;
    if (pauses) paused += 1;
    const done = strike(worker, pauses, inWrite).finally(() => {
      if (pauses) paused -= 1;
      underWay.delete(done);
    });
    underWay.add(done);
  }
  await Promise.all(underWay);
  return strikes;
}
