import { AsyncLocalStorage } from 'node:async_hooks';

/** What a run has seen of the source since it last wrote anything but a deletion. */
export interface Sight {
  revision?: string | undefined;
  /** When it looked: epoch in ms. */
  at?: number;
}

/** The sight of the run on whose behalf a call is made; none outside of runs. */
export const sights = new AsyncLocalStorage<Sight>();
