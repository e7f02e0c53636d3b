/** The timers a component may use, so that tests can steer them. */
export interface Timers {
  /** Calls back once after `ms`; returns a handle for {@link Timers.clear}. */
  set(callback: () => void, ms: number): unknown;
  clear(handle: unknown): void;
}

/**
 * Calls back again and again, for the first time after `ms`.
 * @param timers default: the real ones
 * @returns what ends it
 */
export function every(ms: number, callback: () => void, timers: Timers = realTimers): () => void {
  const beat = () => {
    handle = timers.set(beat, ms);
    callback();
  };
  let handle = timers.set(beat, ms);
  return () => timers.clear(handle);
}

/** The real timers. */
export const realTimers: Timers = {
  set: (callback, ms) => setTimeout(callback, ms),
  clear: (handle) => clearTimeout(handle as NodeJS.Timeout),
};
