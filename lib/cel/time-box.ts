import { createContext, Script } from 'node:vm';

const context: { work: (() => unknown) | undefined } = { work: undefined };
createContext(context);
const script = new Script('work()');

/** A piece of work took longer than it was given. */
export class TookTooLong extends Error {
  override readonly name = 'TookTooLong';
}

/**
 * Runs synchronous work and stops it, wherever it is (in a loop or in a regular expression), when its time is up. The
 * work runs in our own realm: this bounds time, it is no sandbox.
 * @param limit in ms
 * @throws TookTooLong, or what the work throws
 */
export function timeBoxed<T>(limit: number, work: () => T): T {
  const outer = context.work;
  context.work = work;
  try {
    return script.runInContext(context, { timeout: limit }) as T;
  } catch (error) {
    if ((error as { code?: unknown } | undefined)?.code === 'ERR_SCRIPT_EXECUTION_TIMEOUT') {
      throw new TookTooLong(`took longer than ${limit} ms`);
    }
    throw error;
  } finally {
    context.work = outer;
  }
}
