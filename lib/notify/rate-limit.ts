/** At most `count` in any `perMs` milliseconds. */
export interface RateRule {
  count: number;
  perMs: number;
}

/** A limit that holds over every window of time, not only on average. */
export interface RateLimit {
  /** Takes one turn: 0 when it may be used now; otherwise nothing is taken, and it is the ms until there may be one. */
  take(): number;
}

/**
 * GitHub allows 80 requests that make content a minute and 500 an hour; some are left to whoever else uses the token.
 * https://docs.github.com/en/rest/using-the-rest-api/rate-limits-for-the-rest-api#about-secondary-rate-limits
 */
export const GITHUB_RULES: readonly RateRule[] = [
  { count: 70, perMs: 60_000 },
  { count: 450, perMs: 3_600_000 },
];

/** For providers that name no limit: enough to be no burden. */
export const DEFAULT_RULES: readonly RateRule[] = [{ count: 300, perMs: 60_000 }];

/** The limits of a provider by its type in the fleet file. */
export function rulesOf(type: string): readonly RateRule[] {
  return type === 'github' ? GITHUB_RULES : DEFAULT_RULES;
}

/** @param now epoch in ms */
export function createRateLimit(rules: readonly RateRule[], now: () => number): RateLimit {
  const most = Math.max(0, ...rules.map(({ count }) => count));
  /** When the last turns were taken, oldest first. */
  const taken: number[] = [];
  return {
    take() {
      const time = now();
      const waits = rules.map(({ count, perMs }) => {
        const blocking = taken.at(-count);
        return count > 0 && blocking !== undefined ? blocking + perMs - time : 0;
      });
      const wait = Math.max(0, ...waits);
      if (wait > 0) return wait;
      taken.push(time);
      if (taken.length > most) taken.shift();
      return 0;
    },
  };
}
