import type { RunningProcess } from '../exec.ts';
import { encodeFrame, type Frame, readFrames } from './frame.ts';

/** The engine's process ended, or did not answer in time. The request may be the cause, so it is not sent again. */
export class EngineFault extends Error {
  override readonly name = 'EngineFault';
}

/** Starts the engine's program; `start` of `lib/exec.ts`. */
export type StartProcess = (command: string, args: readonly string[]) => RunningProcess;

/** What an engine process may need while it works on a request, such as the data key of an encrypted file. */
export type OnCall = (call: Record<string, unknown>) => Promise<Record<string, unknown>>;

/** Settings of {@link EngineProcess.request}. */
export interface RequestOptions {
  payload?: Uint8Array;
  /** In ms; then the process is killed. */
  timeout: number;
  signal?: AbortSignal | undefined;
  onCall?: OnCall | undefined;
}

/** One process of the engine. It works on one request at a time. */
export class EngineProcess {
  /** Digests of the trees it was sent; it may have dropped some since. */
  readonly trees = new Set<string>();
  /** Whose manifests it has seen; undefined while it is fresh. */
  tenant: string | undefined;
  /** Requests answered. */
  served = 0;
  readonly #process: RunningProcess;
  readonly #frames: AsyncGenerator<Frame>;
  #nextId = 1;
  #dead = false;

  constructor(process: RunningProcess) {
    this.#process = process;
    this.#frames = readFrames(process.stdout);
    process.exited.then(
      () => this.kill(),
      () => this.kill(),
    );
  }

  /** False once it ended or was killed. */
  get alive(): boolean {
    return !this.#dead;
  }

  /** Ends the process. */
  kill(): void {
    this.#dead = true;
    this.#process.kill();
  }

  /**
   * Sends a request and awaits its answer.
   * @throws {EngineFault} the process ended or was too slow; it is gone then
   */
  async request(header: object, options: RequestOptions): Promise<Frame> {
    const stop = stopper(this.#process, options);
    try {
      const id = this.#nextId++;
      this.#send({ ...header, id }, options.payload);
      for (;;) {
        const next = await this.#frames.next();
        if (next.done) throw new Error('the engine ended');
        const { header: answer } = next.value;
        if (answer.id !== id) throw new Error(`the engine answered request ${answer.id} instead of ${id}`);
        if (typeof answer.call !== 'string') {
          this.served++;
          return next.value;
        }
        if (!options.onCall) throw new Error(`the engine asked for ${answer.call}`);
        this.#send({ ...(await options.onCall(answer)), id });
      }
    } catch (cause) {
      this.kill();
      throw new EngineFault(stop.reason() ?? (await this.#death(cause)), { cause });
    } finally {
      stop.done();
    }
  }

  #send(header: object, payload?: Uint8Array): void {
    for (const part of encodeFrame(header, payload)) this.#process.stdin.write(part);
  }

  async #death(cause: unknown): Promise<string> {
    const exit = await this.#process.exited.catch((error: Error) => error);
    if (exit instanceof Error) return `${exit.message}; build it with: npm run build:engine`;
    if (exit.code === 137) return 'the build needed more memory than it may use';
    // Of a long trace only the end is kept, which tells of the frames that were left out.
    if (/stack overflow|stack exceeds|frames elided/.test(exit.stderr))
      return 'the build recursed without end';
    const message = cause instanceof Error ? cause.message : String(cause);
    return exit.signal === 'SIGKILL' ? message : `the engine ended with code ${exit.code}`;
  }
}

/** Kills the process at the time limit and on abort, and remembers why. */
function stopper(
  process: RunningProcess,
  options: RequestOptions,
): { reason(): string | undefined; done(): void } {
  let reason: string | undefined;
  function stop(why: string): void {
    reason ??= why;
    process.kill();
  }
  const timer = setTimeout(() => stop(`no result after ${options.timeout / 1000} s`), options.timeout);
  const onAbort = () => stop('aborted');
  if (options.signal?.aborted) onAbort();
  options.signal?.addEventListener('abort', onAbort, { once: true });
  return {
    reason: () => reason,
    done: () => {
      clearTimeout(timer);
      options.signal?.removeEventListener('abort', onAbort);
    },
  };
}
