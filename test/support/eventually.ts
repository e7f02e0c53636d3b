import { setTimeout as sleep } from 'node:timers/promises';

/** How long a condition may take to come true, in ms; far beyond what it takes on a machine with nothing else to do. */
const DEADLINE_MS = 90_000;

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
  const deadline = Date.now() + deadlineMs;
  let last = '';
  for (;;) {
    try {
      const answer = await look();
      if (answer !== undefined && answer !== false) return answer;
      last = '';
    } catch (error) {
      last = error instanceof Error ? ` (${error.message})` : '';
    }
    if (Date.now() > deadline) {
      const more = explain ? `\n${await explain()}` : '';
      throw new Error(`Not within ${deadlineMs / 1000} s: ${what}${last}${more}`);
    }
    await sleep(100);
  }
}
