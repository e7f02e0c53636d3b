import { setTimeout as sleep } from 'node:timers/promises';

/** How long a condition may take to come true, in ms; far beyond what it takes on a machine with nothing else to do. */
const DEADLINE_MS = 90_000;

/** The pauses between two looks, in ms: they grow with the time that has passed, and looks that are slow leave the machine to what is waited for. */
const PAUSE_MS = { least: 100, most: 1_000 };

/**
 * Asks again and again until an answer is given, at most until the deadline.
 * @param what the condition in words, for the error
 * @param look answers undefined or false while it does not hold; throwing counts as not yet
 * @param explain more for the error, such as what is there instead
 * @throws Error naming the condition and the last error of `look`
 */
export async function eventually<T>(
  what: string,
  look: () => Promise<T | undefined | false> | T | undefined | false,
  { deadlineMs = DEADLINE_MS, explain }: { deadlineMs?: number; explain?: () => Promise<string> } = {},
): Promise<T> {
  const began = Date.now();
  let last = '';
  for (;;) {
    const looked = Date.now();
    try {
      const answer = await look();
      if (answer !== undefined && answer !== false) return answer;
      last = '';
    } catch (error) {
      last = error instanceof Error ? ` (${error.message})` : '';
    }
    const now = Date.now();
    if (now - began > deadlineMs) {
      const more = explain ? `\n${await explain()}` : '';
      throw new Error(`Not within ${deadlineMs / 1000} s: ${what}${last}${more}`);
    }
    const pause = Math.max(PAUSE_MS.least, (now - began) / 10, (now - looked) * 3);
    await sleep(Math.min(pause, PAUSE_MS.most));
  }
}
