import { RecentlyUsed } from '../core/recently-used.ts';

/** What a memory of refused paths may be given. */
export interface RefusedPathsOptions {
  /** Epoch in ms. */
  now(): number;
  /** How long what was found at a path is remembered, in ms. Default 10 s. */
  keepMs?: number;
  /** So many paths, and what was found at them, are remembered, those called last; a bound to the memory. Default 10,000. */
  size?: number;
}

/**
 * What was found at paths whose calls were refused a moment ago, so that a flood of such calls does not become one of reads. What is
 * remembered serves to refuse alone: whatever is let in is looked up anew, so that a Receiver that was suspended or changed meanwhile is not
 * called. The other way round it takes until the end of that time: a path that was called in vain before its Receiver existed.
 */
export class RefusedPaths<T> {
  readonly #now: () => number;
  readonly #keepMs: number;
  readonly #found: RecentlyUsed<{ found: readonly T[]; until: number }>;

  constructor({ now, keepMs = 10_000, size = 10_000 }: RefusedPathsOptions) {
    this.#now = now;
    this.#keepMs = keepMs;
    this.#found = new RecentlyUsed(size, ({ found }) => 1 + found.length);
  }

  /** What was found at the path, which may be nothing; undefined when it must be looked up. */
  recall(path: string): readonly T[] | undefined {
    const known = this.#found.get(path);
    return known && this.#now() < known.until ? known.found : undefined;
  }

  /** Remembers what was found at a path at that time (epoch in ms), for a call that was refused. */
  remember(path: string, found: readonly T[], readAt: number): void {
    this.#found.set(path, { found, until: readAt + this.#keepMs });
  }

  /** How many paths are remembered. */
  get paths(): number {
    return this.#found.size;
  }
}
