import { availableParallelism } from 'node:os';
import type { Closure } from '../core/tree.ts';
import { start } from '../exec.ts';
import { EngineFault, EngineProcess, type OnCall, type StartProcess } from './engine-process.ts';
import type { Frame } from './frame.ts';
import { createKeyService, type Decryption } from './key-service.ts';

/** Settings of {@link createEngine}. */
export interface EngineOptions {
  /** The engine's program: `enginePath()` of `infra/engine/location.ts`. */
  path: string;
  /** Processes at most. Default: one per processor, at most four. */
  processes?: number;
  /** So long a build waits for a process that its tenant has before it gets another one, in ms. Default: 250. */
  growAfterMs?: number;
  /** Limit for one build, in ms. Default: one minute. */
  timeoutMs?: number;
  /** Builds after which a process is replaced. Default: 5,000. */
  recycleAfter?: number;
  /** Heap of one process at most, in bytes. Default: 1 GiB. */
  memoryBytes?: number;
  /** Starts a process. Default: `start` of `lib/exec.ts`. */
  start?: StartProcess;
}

/** A build as `infra/engine/message.go` takes it. */
export interface BuildRequest {
  /** Digest of the tree: the artifact's. */
  tree: string;
  /** Directory to build, relative to the root of the tree. */
  path: string;
  /** Fields of a Kustomization's spec that change the build. */
  spec: object;
  /** Absent without postBuild. */
  substitute?: { variables: Readonly<Record<string, string>>; always: boolean; lenient?: boolean };
  /** Set when encrypted files are to be decrypted. */
  decrypt?: boolean;
  /** `json` (default): an array of objects; `yaml`: as `kubectl kustomize` prints, without postBuild and decryption. */
  format?: 'json' | 'yaml';
}

/** Who asks for a build, and what the engine needs for it. */
export interface BuildContext {
  /** Processes are never shared between tenants. */
  tenant: string;
  /** Reads the tree as an uncompressed tar; called only when the process that builds does not hold it. */
  readTree: () => Promise<Uint8Array>;
  signal?: AbortSignal | undefined;
  /** Private keys for `decrypt`; they go to a process of their own. */
  decryption?: Decryption | undefined;
}

/** What came of a build. */
export interface BuildAnswer {
  ok: boolean;
  /** Kind of the error; see `infra/engine/message.go`. */
  code: string;
  /** The error for people; it may quote manifests. */
  error: string;
  /** What the build looked at, also when it failed. */
  closure: Closure;
  /** Things worth telling that are no errors. */
  warnings: string[];
  /** Texts that were decrypted for it, also when it failed; to be kept out of all that is written or shown. */
  secrets: string[];
  payload: Uint8Array;
}

/** The renderer: a pool of engine processes. */
export interface Engine {
  /**
   * Builds a directory of a tree.
   * @throws {EngineFault} the process ended, ran out of memory or time
   */
  build(request: BuildRequest, context: BuildContext): Promise<BuildAnswer>;
  /** Starts a process ahead of the first build. */
  warm(): void;
  /** Ends all processes; builds that run fail. */
  close(): Promise<void>;
}

const NO_KEYS: Decryption = { ageIdentities: [], pgpKeys: [] };

interface Waiter {
  tenant: string;
  tree: string;
  /** How often a later one of the same tenant as the free process went first. */
  passed: number;
  /** Whether it has waited long enough for a process of its own. */
  mayGrow: boolean;
  resolve: (process: EngineProcess) => void;
  reject: (error: Error) => void;
}

/** How often a build may be overtaken by others that a free process can do without being replaced. */
const MAX_PASSED = 16;

/**
 * Creates a pool of engine processes. Each process is warm before its first build, belongs to one tenant, and is replaced
 * after an error of its own, after a build that changed process-wide state, and after `recycleAfter` builds.
 */
export function createEngine(options: EngineOptions): Engine {
  const limit = options.processes ?? Math.min(4, availableParallelism());
  const growAfterMs = options.growAfterMs ?? 250;
  const timeout = options.timeoutMs ?? 60_000;
  const recycleAfter = options.recycleAfter ?? 5_000;
  const args = [`--memory=${options.memoryBytes ?? 1 << 30}`];
  const startProcess: StartProcess = options.start ?? ((command, argv) => start(command, argv));
  const all = new Set<EngineProcess>();
  const idle: EngineProcess[] = [];
  const waiting: Waiter[] = [];
  let closed = false;

  function spawn(): EngineProcess {
    const process = new EngineProcess(startProcess(options.path, args));
    all.add(process);
    return process;
  }

  function retire(process: EngineProcess): void {
    all.delete(process);
    process.kill();
  }

  /**
   * A process for a build: one that holds the tree, else one of the tenant, else a fresh one, else one replaced. Most builds take a few
   * milliseconds, and another process takes memory and a start: while the tenant has a process that is busy, none is started at once.
   */
  function take({ tenant, tree, mayGrow }: Pick<Waiter, 'tenant' | 'tree' | 'mayGrow'>) {
    for (const dead of idle.filter((process) => !process.alive)) remove(dead);
    const found =
      idle.find((process) => process.tenant === tenant && process.trees.has(tree)) ??
      idle.find((process) => process.tenant === tenant) ??
      idle.find((process) => process.tenant === undefined);
    if (found) {
      idle.splice(idle.indexOf(found), 1);
      found.tenant = tenant;
      return found;
    }
    if (isServed(tenant) && !mayGrow) return undefined;
    if (all.size >= limit) {
      const oldest = idle.shift();
      if (!oldest) return undefined;
      retire(oldest);
    }
    const spawned = spawn();
    spawned.tenant = tenant;
    return spawned;
  }

  function isServed(tenant: string): boolean {
    return [...all].some((process) => process.tenant === tenant && process.alive);
  }

  function remove(process: EngineProcess): void {
    idle.splice(idle.indexOf(process), 1);
    retire(process);
  }

  function acquire(tenant: string, tree: string, signal: AbortSignal | undefined): Promise<EngineProcess> {
    if (closed) return Promise.reject(new EngineFault('the engine is closed'));
    if (signal?.aborted) return Promise.reject(new EngineFault('aborted'));
    // Those who wait for a process that their tenant has keep nobody from another one.
    const process = waiting.every((waiter) => isServed(waiter.tenant))
      ? take({ tenant, tree, mayGrow: false })
      : undefined;
    if (process) return Promise.resolve(process);
    return new Promise((resolve, reject) => {
      const onAbort = () => {
        waiting.splice(waiting.indexOf(waiter), 1);
        waiter.reject(new EngineFault('aborted'));
      };
      const grow = setTimeout(() => {
        waiter.mayGrow = true;
        serve();
      }, growAfterMs);
      const settle = () => {
        clearTimeout(grow);
        signal?.removeEventListener('abort', onAbort);
      };
      const waiter: Waiter = {
        tenant,
        tree,
        passed: 0,
        mayGrow: false,
        resolve: (found) => {
          settle();
          resolve(found);
        },
        reject: (error) => {
          settle();
          reject(error);
        },
      };
      waiting.push(waiter);
      signal?.addEventListener('abort', onAbort, { once: true });
    });
  }

  function release(process: EngineProcess, tainted: boolean): void {
    if (closed || !process.alive || tainted || process.served >= recycleAfter) retire(process);
    else idle.push(process);
    serve();
  }

  /** Hands free processes to whoever waits. */
  function serve(): void {
    while (waiting.length > 0 && !closed) {
      const head = waiting[0] as Waiter;
      const tenants = new Set(idle.map(({ tenant }) => tenant));
      const match = head.passed < MAX_PASSED ? waiting.find(({ tenant }) => tenants.has(tenant)) : undefined;
      const next = match ?? head;
      const process = take(next);
      if (!process) return;
      if (next !== head) head.passed++;
      waiting.splice(waiting.indexOf(next), 1);
      next.resolve(process);
    }
  }

  async function sendTree(
    process: EngineProcess,
    request: BuildRequest,
    context: BuildContext,
  ): Promise<void> {
    const payload = await context.readTree();
    const { header } = await process.request(
      { op: 'tree', tree: request.tree },
      { payload, timeout, signal: context.signal },
    );
    if (header.ok !== true) throw new EngineFault(`the artifact cannot be read: ${header.error}`);
    process.trees.add(request.tree);
  }

  async function buildWith(
    process: EngineProcess,
    request: BuildRequest,
    context: BuildContext,
    onCall: OnCall,
  ): Promise<Frame> {
    if (!process.trees.has(request.tree)) await sendTree(process, request, context);
    const settings = { timeout, signal: context.signal, onCall };
    const answer = await process.request({ op: 'build', ...request }, settings);
    if (answer.header.code !== 'UnknownTree') return answer;
    // It dropped the tree to make room for others.
    await sendTree(process, request, context);
    return process.request({ op: 'build', ...request }, settings);
  }

  return {
    async build(request, context) {
      const process = await acquire(context.tenant, request.tree, context.signal);
      const keys = createKeyService(startProcess, options.path, args, context.decryption ?? NO_KEYS);
      let tainted = false;
      try {
        const { header, payload } = await buildWith(process, request, context, keys.onCall);
        tainted = header.tainted === true;
        return {
          ok: header.ok === true,
          code: String(header.code ?? ''),
          error: String(header.error ?? ''),
          closure: (header.closure as Closure | undefined) ?? { files: [], missing: [], directories: [] },
          warnings: (header.warnings as string[] | undefined) ?? [],
          secrets: (header.secrets as string[] | undefined) ?? [],
          payload,
        };
      } finally {
        keys.close();
        release(process, tainted);
      }
    },
    warm() {
      if (all.size >= limit || closed) return;
      const process = spawn();
      process.request({ op: 'warm' }, { timeout }).then(
        () => release(process, false),
        () => release(process, true),
      );
    },
    async close() {
      closed = true;
      for (const waiter of waiting.splice(0)) waiter.reject(new EngineFault('the engine is closed'));
      for (const process of all) retire(process);
    },
  };
}
