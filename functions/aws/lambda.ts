import process from 'node:process';
import { type Environment, readEnvironment } from './environment.ts';

/** What Lambda says of an invocation, as far as it is looked at. https://docs.aws.amazon.com/lambda/latest/dg/nodejs-context.html */
export interface Invocation {
  getRemainingTimeInMillis(): number;
}

/** What a function works with. */
export interface Opened {
  /** Whether the fleet file that it was opened with is still the one. */
  isCurrent(): Promise<boolean>;
  close(): Promise<void>;
}

/**
 * Opens what a function works with at its first invocation, and keeps it for those that follow, until the fleet file is another one. What
 * fails is tried again by the next invocation, so that what was missing for a moment does not stay missing.
 */
export function keepOpen<T extends Opened>(
  open: (environment: Environment) => Promise<T>,
  variables: Readonly<Record<string, string | undefined>> = process.env,
): () => Promise<T> {
  let opened: Promise<T> | undefined;
  return async () => {
    const known = await opened;
    if (known && !(await known.isCurrent())) {
      opened = undefined;
      await known.close();
    }
    opened ??= Promise.resolve()
      .then(() => open(readEnvironment(variables)))
      .catch((error: unknown) => {
        opened = undefined;
        throw error;
      });
    return opened;
  };
}

/** When an invocation should begin nothing more: epoch in ms, so long before Lambda ends it that what was begun can end. */
export function endOf(invocation: Invocation, marginMs: number, now: number = Date.now()): number {
  return now + Math.max(0, invocation.getRemainingTimeInMillis() - marginMs);
}
