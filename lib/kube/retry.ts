/** How often and how long a request is tried. */
export interface RetryOptions {
  /** Attempts at most, the first one included. Default: 8. */
  attempts: number;
  /** No retry starts later than this after the first attempt, in ms. Default: 60 s. */
  budget: number;
  /** Wait before the first retry without a Retry-After, in ms; doubles each time up to `maxDelay`. Default: 100 ms. */
  baseDelay: number;
  /** In ms. Default: 5 s. */
  maxDelay: number;
  /** Epoch in ms. */
  now: () => number;
  /** Resolves after `ms`; rejects when the signal aborts, which ends the retries. */
  sleep: (ms: number, signal?: AbortSignal) => Promise<void>;
  /** Uniform in [0, 1). */
  random: () => number;
}

/** What one attempt says when it failed in a way that may be tried again. */
export interface Retryable {
  /** Thrown when no attempt is left. */
  error: Error;
  /** What the server asked us to wait, in ms. */
  retryAfter: number | undefined;
}

/** The outcome of one attempt. */
export type Attempt<T> = { value: T } | { retry: Retryable };

/**
 * Runs `attempt` until it gives a value, throws, or no attempt or time is left. The server's Retry-After is a lower bound
 * of the wait; up to half of it is added at random so that those throttled together do not come back together.
 * @param attempt gets the number of earlier attempts
 * @throws what the attempt throws, or its last retryable error
 */
export async function withRetries<T>(
  options: RetryOptions,
  signal: AbortSignal | undefined,
  attempt: (earlier: number) => Promise<Attempt<T>>,
): Promise<T> {
  const start = options.now();
  for (let earlier = 0; ; earlier++) {
    const outcome = await attempt(earlier);
    if ('value' in outcome) return outcome.value;
    const { error, retryAfter } = outcome.retry;
    const delay = delayBefore(options, earlier, retryAfter);
    if (earlier + 1 >= options.attempts || options.now() + delay - start > options.budget) throw error;
    await options.sleep(delay, signal).catch(() => {
      throw error;
    });
  }
}

function delayBefore(options: RetryOptions, earlier: number, retryAfter: number | undefined): number {
  const backoff = Math.min(options.baseDelay * 2 ** earlier, options.maxDelay);
  const base = Math.max(backoff, retryAfter ?? 0);
  return Math.round(base + options.random() * Math.min(base, options.maxDelay) * 0.5);
}
