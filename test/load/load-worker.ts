import { join } from 'node:path';
import process from 'node:process';
import { type KubeProxy, startKubeProxy } from '../support/kube-proxy.ts';
import type { Kubernetes } from '../support/kubernetes.ts';
import { type Server, startServer, waitUntilReady } from '../support/process.ts';
import type { Evidence } from './evidence.ts';
import { TEAM } from './story.ts';
import { type Life, partsOf, readWrite, type Write } from './write.ts';

/** What a worker is made of. */
export interface LoadWorkerOptions {
  name: string;
  kubernetes: Kubernetes;
  evidence: Evidence;
  /** For its log, and its working directory. */
  directory: string;
  /** Program and arguments for Node. */
  args: readonly string[];
  env: Readonly<Record<string, string | undefined>>;
  /** Writes its fleet file, before each start. @param kubeconfig text; of a proxy that only this life of the worker uses */
  configure(kubeconfig: string): Promise<unknown>;
  /** Whether it has begun to work. */
  isReady(server: Server): Promise<boolean>;
}

/** A write that is kept back on its way. */
export interface HeldWrite extends Pick<Write, 'resource' | 'namespace' | 'name'> {
  /** What it would write of the commit; undefined for what is no object of a commit, or deletes it. */
  commit: number | undefined;
  /** Lets it reach the API server. */
  release(): void;
}

/** Waits for a write to keep back. */
interface Trap {
  fits(resource: string): boolean;
  caught(write: HeldWrite): void;
}

/** A process of Slipway that can be killed and frozen, and what it writes to the cluster through a proxy of its own. */
export class LoadWorker {
  readonly name: string;
  readonly logFile: string;
  readonly #options: LoadWorkerOptions;
  readonly #proxies: KubeProxy[] = [];
  #server: Server | undefined;
  #life: Life | undefined;
  #trap: Trap | undefined;
  /** Neither being started nor frozen. */
  isUp = false;

  constructor(options: LoadWorkerOptions) {
    this.#options = options;
    this.name = options.name;
    this.logFile = join(options.directory, `${options.name}.log`);
  }

  /** Its present life. @throws Error before it was started */
  get life(): Life {
    if (!this.#life) throw new Error(`${this.name} was not started`);
    return this.#life;
  }

  get lastLines(): string {
    return this.#server?.logTail(20) ?? '';
  }

  /** Begins a new life and waits until it works. */
  async start(): Promise<void> {
    const { kubernetes, evidence, directory, args, env, configure, isReady } = this.#options;
    const life = evidence.begin(this.name);
    this.#life = life;
    const held = new Set<number>();
    const proxy = await startKubeProxy(kubernetes, {
      hold: (write) => {
        const trap = this.#trap;
        const { resource = '', namespace = '', name = '' } = partsOf(write.path);
        if (!trap || this.#life !== life || !namespace.startsWith(TEAM)) return undefined;
        if (!trap.fits(resource)) return undefined;
        this.#trap = undefined;
        held.add(write.number);
        const { promise, resolve } = Promise.withResolvers<void>();
        trap.caught({ resource, namespace, name, commit: commitIn(write.body), release: resolve });
        return promise;
      },
      seen: (write) => evidence.add(readWrite(life, write, held.has(write.number))),
    });
    this.#proxies.push(proxy);
    await configure(proxy.kubeconfig);
    const server = await startServer({
      name: this.name,
      command: process.execPath,
      args: [...args],
      logFile: this.logFile,
      cwd: directory,
      env,
    });
    this.#server = server;
    await waitUntilReady(server, () => isReady(server));
    this.isUp = true;
  }

  /** Ends its life without a warning. */
  async kill(): Promise<void> {
    this.isUp = false;
    this.#trap = undefined;
    await this.#server?.stop('SIGKILL');
  }

  pause(): void {
    this.isUp = false;
    this.#server?.pause();
  }

  resume(): void {
    this.#server?.resume();
    this.isUp = true;
  }

  /**
   * Keeps back the next write to a team's namespace.
   * @param fits whether a resource, such as `configmaps`, is one to wait for
   * @param signal ends the waiting for one
   */
  async trapNextWrite(fits: Trap['fits'], signal: AbortSignal): Promise<HeldWrite | undefined> {
    const { promise, resolve } = Promise.withResolvers<HeldWrite | undefined>();
    this.#trap = { fits, caught: resolve };
    signal.addEventListener('abort', () => resolve(undefined), { once: true });
    const held = await promise;
    if (!held) this.#trap = undefined;
    return held;
  }

  /** Ends it as an operator does. */
  async stop(): Promise<void> {
    await this.#server?.stop('SIGTERM', 30_000);
    await Promise.all(this.#proxies.map((proxy) => proxy.stop()));
  }
}

function commitIn(body: string): number | undefined {
  const { data } = JSON.parse(body || '{}') as { data?: { commit?: string } };
  return data?.commit === undefined ? undefined : Number(data.commit);
}
