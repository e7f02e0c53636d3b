/** Something that is good for a time, such as a token. */
export interface Lasting<T> {
  value: T;
  /** Epoch in ms. */
  expiresAt: number;
}

/** Gives what is kept, or asks anew: when it nears its end, and when it is the one that was refused. */
export type Kept<T> = (refused?: T) => Promise<T>;

/** So long before its end it is replaced, in ms. */
const MARGIN_MS = 5 * 60_000;

/**
 * Keeps what can be asked for again. Many may need it at once: one asks for all of them. A failure is not kept.
 * @param now epoch in ms
 */
export function keep<T>(ask: () => Promise<Lasting<T>>, now: () => number): Kept<T> {
  let kept: Lasting<T> | undefined;
  let asking: Promise<Lasting<T>> | undefined;
  return async (refused) => {
    if (kept && kept.value !== refused && kept.expiresAt - MARGIN_MS > now()) return kept.value;
    asking ??= ask().finally(() => {
      asking = undefined;
    });
    kept = await asking;
    return kept.value;
  };
}

/** Tokens for one connection, which asks for one at first and after each that was refused. */
export function tokensOf(token: Kept<string>): () => Promise<string> {
  let given: string | undefined;
  return async () => {
    given = await token(given);
    return given;
  };
}
