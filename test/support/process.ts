import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync, readFileSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { dirname } from 'node:path';
import process from 'node:process';

export interface ServerOptions {
  /** Name for messages, e.g. `kube-apiserver`. */
  name: string;
  command: string;
  args: string[];
  /** File that receives what the program prints. */
  logFile: string;
  cwd?: string;
  /** The whole environment; default: this process's own. */
  env?: NodeJS.ProcessEnv;
  /** Folder that is deleted when this process dies without having stopped the server. */
  scratch?: string;
}

/** A running server. */
export interface Server {
  name: string;
  /** Settles when the program has ended, with its exit code. */
  exited: Promise<number>;
  /** Whether it still runs. */
  running(): boolean;
  /** Sends a signal to the program and to everything it started. */
  kill(signal: NodeJS.Signals): void;
  /** Freezes the program, and only the program: it is not told, and its connections stay open. */
  pause(): void;
  /** Lets it go on. */
  resume(): void;
  /** Ends it: `signal` first (default SIGKILL), SIGKILL after `graceMs` (default 10,000 ms). */
  stop(signal?: NodeJS.Signals, graceMs?: number): Promise<void>;
  /** The last lines of its log. */
  logTail(lines?: number): string;
}

/**
 * A guard around the program. It reads from a pipe held by this process: when that ends, this process is gone,
 * however it went (even by SIGKILL), and the guard kills the program and deletes the scratch folder.
 */
const guard = `
exec 3<&0
trap : TERM INT HUP
scratch=$1; shift
"$@" </dev/null 3<&- &
program=$!
trap 'kill -STOP $program' USR1
trap 'kill -CONT $program' USR2
( trap - TERM; trap '' HUP
  read -r _ <&3
  # The program's end makes the guard end this one too, which still has the folder to delete.
  trap '' TERM
  kill -KILL $program
  if [ -n "$scratch" ]; then for _ in 1 2 3; do rm -rf "$scratch" && break; sleep 0.3; done; fi
  kill -KILL -$$ ) >/dev/null 2>&1 &
watch=$!
exec 3<&-
while :; do
  wait $program; status=$?
  kill -0 $program 2>/dev/null || break
done
kill -TERM $watch 2>/dev/null
exit $status
`;

const servers = new Set<Server>();

/** The servers that this process has started and that still run. */
export function runningServers(): Server[] {
  return [...servers];
}

/** Starts a server in a process group of its own. It never outlives this process. */
export async function startServer(options: ServerOptions): Promise<Server> {
  await mkdir(dirname(options.logFile), { recursive: true });
  const log = openSync(options.logFile, 'a');
  const child = spawn('sh', ['-c', guard, 'guard', options.scratch ?? '', options.command, ...options.args], {
    cwd: options.cwd,
    env: options.env ?? process.env,
    stdio: ['pipe', log, log],
    detached: true,
  });
  closeSync(log);
  let running = true;
  const exited = new Promise<number>((resolve, reject) => {
    child.once('error', reject);
    child.once('exit', (code) => {
      running = false;
      child.stdin?.destroy();
      resolve(code ?? 1);
    });
  });
  await once(child, 'spawn');
  // Neither the process nor its pipe keep this one alive.
  child.unref();
  child.stdin?.on('error', () => {});
  if (child.stdin && 'unref' in child.stdin && typeof child.stdin.unref === 'function') child.stdin.unref();

  function kill(signal: NodeJS.Signals): void {
    if (!running || child.pid === undefined) return;
    try {
      process.kill(-child.pid, signal);
    } catch {
      // It ended between the check and the signal.
    }
  }

  /** The guard passes it on; it goes on watching meanwhile. */
  function tellGuard(signal: 'SIGUSR1' | 'SIGUSR2'): void {
    if (running) child.kill(signal);
  }

  async function stop(signal: NodeJS.Signals = 'SIGKILL', graceMs = 10_000): Promise<void> {
    if (!running) return;
    child.ref();
    const timer = setTimeout(() => kill('SIGKILL'), graceMs);
    kill(signal);
    await exited;
    clearTimeout(timer);
  }

  const server: Server = {
    name: options.name,
    exited,
    running: () => running,
    kill,
    pause: () => tellGuard('SIGUSR1'),
    resume: () => tellGuard('SIGUSR2'),
    stop,
    logTail: (lines = 30) => tail(options.logFile, lines),
  };
  servers.add(server);
  const gone = () => void servers.delete(server);
  exited.then(gone, gone);
  return server;
}

/**
 * Waits until `ready` answers true. Fails at once when the server ends, and after `timeoutMs` otherwise; the error
 * contains the end of the server's log.
 */
export async function waitUntilReady(
  server: Server,
  ready: () => Promise<boolean>,
  timeoutMs = 120_000,
): Promise<void> {
  const deadline = Date.now() + timeoutMs;
  let last = '';
  while (server.running()) {
    try {
      if (await ready()) return;
    } catch (error) {
      last = error instanceof Error ? `${error.message} ` : '';
    }
    if (Date.now() > deadline) {
      throw new Error(
        `${server.name} was not ready after ${timeoutMs / 1000} s. ${last}Its log ends:\n${server.logTail()}`,
      );
    }
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new Error(`${server.name} ended while starting. Its log ends:\n${server.logTail()}`);
}

function tail(file: string, lines: number): string {
  try {
    return readFileSync(file, 'utf8').trimEnd().split('\n').slice(-lines).join('\n');
  } catch {
    return '';
  }
}
