/** The timers a component may use, so that tests can steer them. */
export interface Timers {
  /** Calls back once after `ms`; returns a handle for {@link Timers.clear}. */
  set(callback: () => void, ms: number): unknown;
  clear(handle: unknown): void;
}

/** The real timers. */
export const realTimers: Timers = {
  set: (callback, ms) => setTimeout(callback, ms),
  clear: (handle) => clearTimeout(handle as NodeJS.Timeout),
};
