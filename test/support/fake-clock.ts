import type { Timers } from '../../lib/queue/timers.ts';

/** A clock that only moves when told to, and the timers that hang on it. */
export interface FakeClock {
  now: () => number;
  timers: Timers;
  /** Moves the time on and fires the timers that become due, in order. */
  advance(ms: number): void;
  /** How many timers are set. */
  pending(): number;
}

/** @param start epoch in ms */
export function fakeClock(start = Date.UTC(2026, 0, 1)): FakeClock {
  let time = start;
  const timers = new Set<{ at: number; callback: () => void }>();
  return {
    now: () => time,
    timers: {
      set(callback, ms) {
        const timer = { at: time + ms, callback };
        timers.add(timer);
        return timer;
      },
      clear(handle) {
        timers.delete(handle as { at: number; callback: () => void });
      },
    },
    advance(ms) {
      const end = time + ms;
      for (;;) {
        const [next] = [...timers].filter(({ at }) => at <= end).sort((left, right) => left.at - right.at);
        if (!next) break;
        timers.delete(next);
        time = Math.max(time, next.at);
        next.callback();
      }
      time = end;
    },
    pending: () => timers.size,
  };
}
