import { createContext, isContext, Script } from 'node:vm';

const context: { work: (() => unknown) | undefined } = { work: undefined };
createContext(context);
/** Absent at Cloudflare, whose `node:vm` makes no contexts. */
const script = isContext(context) ? new Script('work()') : undefined;

/** A piece of work took longer than it was given. */
export class TookTooLong extends Error {
  override readonly name = 'TookTooLong';
}

/**
 * Runs synchronous work and stops it, wherever it is (in a loop or in a regular expression), when its time is up. The
 * work runs in our own realm: this bounds time, it is no sandbox. A Cloudflare Worker cannot stop work by itself; there the runtime's own limit
 * of CPU time ends the whole request.
 * @param limit in ms
 * @throws TookTooLong, or what the work throws
 */
export function timeBoxed<T>(limit: number, work: () => T): T {
  if (!script) return work();
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
