import { type ChildProcess, spawn } from 'node:child_process';
import process from 'node:process';
import type { Readable, Writable } from 'node:stream';
import { redact } from './core/redact.ts';

/** Where programs are looked for. Fixed, so that a changed environment of the service cannot swap a program. */
const PATH = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin:/opt/homebrew/bin:/opt/bin';

const DEFAULT_TIMEOUT = 60_000;
const DEFAULT_MAX_OUTPUT = 64 * 1024 * 1024;
/** How much of stderr is kept, from its end, in bytes. */
const STDERR_TAIL = 16 * 1024;

/** Children that run. They are in process groups of their own, so a Ctrl-C on a terminal would not reach them. */
const running = new Set<ChildProcess>();

/** Settings of a child process. Nothing of our own environment is inherited. */
export interface ProcessOptions {
  /** Working directory. Default: `/`, so that no program picks up a file of ours by accident. */
  cwd?: string;
  /** The whole environment, apart from `PATH` and `LC_ALL=C`, which are set when absent. Never put a secret here: others can read it. */
  env?: Readonly<Record<string, string>>;
  /** Values to remove from stderr and errors. */
  secrets?: readonly string[];
}

/** Settings of {@link run}. */
export interface RunOptions extends ProcessOptions {
  /** What the child reads from its stdin; default: nothing. */
  stdin?: Uint8Array | string;
  /** In ms. Default: one minute. */
  timeout?: number;
  /** The most bytes of stdout; beyond it the child is killed. Default: 64 MiB. */
  maxOutput?: number;
  /** Gets stdout piece by piece instead of having it collected; `stdout` of the result is then empty. */
  onStdout?: (chunk: Uint8Array) => void;
  signal?: AbortSignal;
}

/** What a finished process left. */
export interface RunResult {
  stdout: Uint8Array;
  /** The end of stderr (16 KiB), without secrets. */
  stderr: string;
  code: number;
}

/** Why a process gave no result. */
export type ExecFault = 'not-found' | 'not-started' | 'timeout' | 'aborted' | 'output' | 'signal';

/** A process could not be started, or did not end by itself. An exit code other than 0 is not an error of this kind. */
export class ExecError extends Error {
  override readonly name = 'ExecError';
  readonly fault: ExecFault;
  readonly stderr: string;

  constructor(
    fault: ExecFault,
    message: string,
    options: { stderr?: string; secrets?: readonly string[] } = {},
  ) {
    super(redact(message, options.secrets));
    this.fault = fault;
    this.stderr = redact(options.stderr ?? '', options.secrets);
  }
}

/** How a long-living process ended. */
export interface Exit {
  code: number | null;
  signal: NodeJS.Signals | null;
  /** The end of its stderr (16 KiB), without secrets. */
  stderr: string;
}

/** A process that lives on after it was started. */
export interface RunningProcess {
  stdin: Writable;
  stdout: Readable;
  /** Process id, which is also the id of its process group; undefined when it could not be started. */
  pid: number | undefined;
  /** Resolves once it ended; rejects with an {@link ExecError} when it could not be started. */
  exited: Promise<Exit>;
  /** Kills the process and all its children, at once. Harmless when it has ended. */
  kill(): void;
}

/**
 * Starts a process that is talked to over its stdin and stdout. No shell is involved.
 * @param command a program's name or absolute path
 */
export function start(
  command: string,
  args: readonly string[],
  options: ProcessOptions = {},
): RunningProcess {
  const child = spawn(command, [...args], {
    cwd: options.cwd ?? '/',
    env: { PATH, LC_ALL: 'C', ...options.env },
    stdio: ['pipe', 'pipe', 'pipe'],
    // Its own process group, so that helpers that it starts (git-remote-https, ssh, gpg) end with it.
    detached: true,
    shell: false,
  });
  if (running.size === 0) process.on('exit', killAll);
  running.add(child);
  const { stdin, stdout, stderr } = child;
  if (!stdin || !stdout || !stderr) throw new ExecError('not-started', `${command}: no pipes`);
  // A child that ends early closes its end; how it ended says more than EPIPE.
  stdin.on('error', () => {});
  stdout.on('error', () => {});
  const tail = keepTail(stderr);
  const exited = exitOf(child, command, () => redact(tail(), options.secrets));
  // Whoever only talks over the pipes need not await it.
  exited.catch(() => {});
  return { stdin, stdout, pid: child.pid, exited, kill: () => killGroup(child) };
}

/**
 * Runs a program to its end. No shell is involved; the process and all its children are killed at the time limit, on abort
 * and when they write too much.
 * @returns also for exit codes other than 0
 * @throws {ExecError} not found, time limit, aborted, too much output, killed by a signal
 */
export async function run(
  command: string,
  args: readonly string[],
  options: RunOptions = {},
): Promise<RunResult> {
  const secrets = options.secrets ?? [];
  if (options.signal?.aborted) throw new ExecError('aborted', `${command}: aborted`, { secrets });
  const child = start(command, args, options);
  let fault: { kind: ExecFault; message: string } | undefined;
  function stop(kind: ExecFault, message: string): void {
    fault ??= { kind, message };
    child.kill();
  }
  const timeout = options.timeout ?? DEFAULT_TIMEOUT;
  const timer = setTimeout(() => stop('timeout', `no end after ${timeout / 1000} s`), timeout);
  const onAbort = () => stop('aborted', 'aborted');
  options.signal?.addEventListener('abort', onAbort, { once: true });
  try {
    const limit = options.maxOutput ?? DEFAULT_MAX_OUTPUT;
    const output = collect(child.stdout, limit, options.onStdout, (message) => stop('output', message));
    child.stdin.end(options.stdin);
    const exit = await child.exited;
    if (fault)
      throw new ExecError(fault.kind, `${command}: ${fault.message}`, { stderr: exit.stderr, secrets });
    if (exit.code === null) {
      throw new ExecError('signal', `${command}: killed by ${exit.signal}`, { stderr: exit.stderr, secrets });
    }
    return { stdout: output(), stderr: exit.stderr, code: exit.code };
  } finally {
    clearTimeout(timer);
    options.signal?.removeEventListener('abort', onAbort);
  }
}

function collect(
  stdout: Readable,
  limit: number,
  consumer: ((chunk: Uint8Array) => void) | undefined,
  stop: (message: string) => void,
): () => Uint8Array {
  const chunks: Buffer[] = [];
  let size = 0;
  stdout.on('data', (chunk: Buffer) => {
    size += chunk.length;
    if (size > limit) return stop(`more than ${limit} bytes of output`);
    if (!consumer) return void chunks.push(chunk);
    try {
      consumer(chunk);
    } catch (error) {
      stop(error instanceof Error ? error.message : String(error));
    }
  });
  return () => Buffer.concat(chunks);
}

function keepTail(stream: Readable): () => string {
  let tail = Buffer.alloc(0);
  stream.on('error', () => {});
  stream.on('data', (chunk: Buffer) => {
    tail = Buffer.concat([tail, chunk]);
    if (tail.length > STDERR_TAIL) tail = tail.subarray(tail.length - STDERR_TAIL);
  });
  return () => tail.toString('utf8').trim();
}

/** Nothing that we started outlives us, unless we are killed ourselves. */
function killAll(): void {
  for (const child of running) killGroup(child);
}

function forget(child: ChildProcess): void {
  running.delete(child);
  if (running.size === 0) process.off('exit', killAll);
}

function exitOf(child: ChildProcess, command: string, stderr: () => string): Promise<Exit> {
  return new Promise((resolve, reject) => {
    child.on('error', (error: NodeJS.ErrnoException) => {
      forget(child);
      const missing = error.code === 'ENOENT';
      const message = missing ? `${command}: not found on this machine` : `${command}: ${error.message}`;
      reject(new ExecError(missing ? 'not-found' : 'not-started', message));
    });
    child.on('close', (code, signal) => {
      forget(child);
      resolve({ code, signal, stderr: stderr() });
    });
  });
}

function killGroup(child: ChildProcess): void {
  if (child.pid === undefined) return;
  try {
    process.kill(-child.pid, 'SIGKILL');
  } catch {
    // The group is gone already.
  }
}
