import process from 'node:process';
import type { Timers } from '../../lib/queue/timers.ts';
import type { Chance } from './chance.ts';

/** A process of Slipway: it can be frozen for a while, or die. */
export class Process {
  readonly name: string;
  dead = false;
  /** Epoch in ms until which nothing of it goes on; 0 = it runs. */
  frozenUntil = 0;

  constructor(name: string) {
    this.name = name;
  }
}

/** What a call asks of the world outside of its process. */
export type Place = 'table' | 'queue' | 'kube' | 'blobs' | 'source';

/** A call that is on its way. */
export interface Step {
  process: Process;
  place: Place;
  name: string;
  /** Whether it changes anything outside. */
  writes: boolean;
  /** Does it, at one moment. */
  act(): unknown;
  resolve(value: unknown): void;
  reject(error: unknown): void;
}

interface Timer {
  process: Process;
  at: number;
  order: number;
  callback(): void;
}

/** By how much a step may let the clock go on, in ms. */
const STEP_MS = 30;

/**
 * Virtual time, and the order in which the calls of all processes are let go: chance decides, so a seed is an interleaving. Between two
 * steps everything runs that can run without the world outside.
 */
export class Scheduler {
  now = Date.UTC(2026, 0, 1);
  steps = 0;
  /** What happened, for people; kept only when asked for. */
  readonly trace: string[] | undefined;
  readonly #chance: Chance;
  /** How likely the process that went last goes on, 0 to 1. */
  readonly #stickiness: number;
  #pending: Step[] = [];
  #timers: Timer[] = [];
  #orders = 0;
  #last: Process | undefined;

  constructor(chance: Chance, { traced = false } = {}) {
    this.#chance = chance;
    this.#stickiness = [0, 0.5, 0.9][chance.below(3)] as number;
    this.trace = traced ? [] : undefined;
  }

  tell(text: string): void {
    this.trace?.push(`${((this.now - Date.UTC(2026, 0, 1)) / 1_000).toFixed(3).padStart(9)} ${text}`);
  }

  /** A call of a process: done when the scheduler lets it go. */
  call<T>(
    process: Process,
    place: Place,
    name: string,
    { writes, act }: { writes: boolean; act(): T },
  ): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      if (process.dead) return;
      this.#pending.push({
        process,
        place,
        name,
        writes,
        act,
        resolve: resolve as (value: unknown) => void,
        reject,
      });
    });
  }

  /** The next call to be let go, taken out of those on their way; undefined when there is none of a process that runs. */
  take(): Step | undefined {
    const ready: Step[] = [];
    for (const step of this.#pending) if (step.process.frozenUntil <= this.now) ready.push(step);
    const own = ready.filter(({ process }) => process === this.#last);
    const choices = own.length > 0 && this.#chance.next() < this.#stickiness ? own : ready;
    const step = choices[this.#chance.below(choices.length)];
    if (!step) return undefined;
    this.#pending.splice(this.#pending.indexOf(step), 1);
    this.#last = step.process;
    this.steps += 1;
    this.pass(this.#chance.below(STEP_MS));
    return step;
  }

  /** A call that was taken and is let go later. */
  putBack(step: Step): void {
    this.#pending.unshift(step);
  }

  /** Ends a process as `kill -9` does: nothing of it goes on, and no call of it ever returns. */
  kill(process: Process): void {
    process.dead = true;
    this.#pending = this.#pending.filter((step) => step.process !== process);
    this.#timers = this.#timers.filter((timer) => timer.process !== process);
  }

  freeze(process: Process, ms: number): void {
    process.frozenUntil = this.now + ms;
  }

  /** Lets time pass; timers that become due call back, those of a frozen process when it wakes. */
  pass(ms: number): void {
    this.now += ms;
    if (this.#timers.length === 0) return;
    const due = this.#timers.filter((timer) => this.#dueAt(timer) <= this.now);
    if (due.length === 0) return;
    this.#timers = this.#timers.filter((timer) => !due.includes(timer));
    for (const { callback } of due.sort((a, b) => a.at - b.at || a.order - b.order)) callback();
  }

  /** When something goes on by itself: epoch in ms, or infinity. */
  nextAt(): number {
    let next = Number.POSITIVE_INFINITY;
    for (const timer of this.#timers) next = Math.min(next, this.#dueAt(timer));
    for (const { process } of this.#pending) next = Math.min(next, Math.max(process.frozenUntil, this.now));
    return next;
  }

  /** The timers of a process. */
  timers(process: Process): Timers {
    return {
      set: (callback, ms) => {
        this.#orders += 1;
        const timer: Timer = { process, at: this.now + ms, order: this.#orders, callback };
        if (!process.dead) this.#timers.push(timer);
        return timer;
      },
      clear: (handle) => {
        const index = this.#timers.indexOf(handle as Timer);
        if (index >= 0) this.#timers.splice(index, 1);
      },
    };
  }

  sleep(process: Process, ms: number): Promise<void> {
    return new Promise((resolve) => void this.timers(process).set(resolve, ms));
  }

  #dueAt({ process, at }: Timer): number {
    return Math.max(at, process.frozenUntil);
  }
}

/** Resolves when nothing can go on any more without a step: ticks come once all that waits for promises alone has run. */
export function settled(): Promise<void> {
  return new Promise((resolve) => process.nextTick(resolve));
}
