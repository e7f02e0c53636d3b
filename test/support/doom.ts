import type { Blobs } from '../../lib/blobs/blobs.ts';
import type { KubernetesObject } from '../../lib/core/object.ts';
import type { Forge } from '../../lib/forge/forge.ts';
import type { KubeClient } from '../../lib/kube/client.ts';
import type { Queue } from '../../lib/queue/queue.ts';
import type { Engine } from '../../lib/render/engine.ts';
import type { SourceKind } from '../../lib/source/source.ts';
import type { Table } from '../../lib/store/table.ts';

/** Where a process ends: at the n-th call that writes (from 1) or at one of that name, before it was carried out, or after and before its answer came. */
export interface Death {
  at: number | ((name: string) => boolean);
  when: 'before' | 'after';
}

/**
 * Everything that a process does outside of itself goes through here and is counted, until the process "dies": from then on no call of
 * it is carried out and none ever returns, as after `kill -9`. Only calls that write are places to die at: two states of the world
 * between which nothing was written are the same.
 */
export class Doom {
  /** The calls that wrote, in order. */
  readonly writes: string[] = [];
  /** Resolves when the process dies. */
  readonly died: Promise<void>;
  readonly #death: Death | undefined;
  /** Holds calls up before they are sent, as when the process is frozen. */
  readonly #hold: ((name: string) => Promise<void> | undefined) | undefined;
  #dead = false;
  #die: () => void = () => {};

  constructor(death?: Death, hold?: (name: string) => Promise<void> | undefined) {
    this.#death = death;
    this.#hold = hold;
    this.died = new Promise((resolve) => {
      this.#die = resolve;
    });
  }

  get dead(): boolean {
    return this.#dead;
  }

  async read<T>(work: () => Promise<T>): Promise<T> {
    if (this.#dead) return never();
    const answer = await work();
    return this.#dead ? never() : answer;
  }

  async write<T>(name: string, work: () => Promise<T>): Promise<T> {
    if (this.#dead) return never();
    this.writes.push(name);
    const isTheOne =
      typeof this.#death?.at === 'function' ? this.#death.at(name) : this.writes.length === this.#death?.at;
    await this.#hold?.(name);
    if (isTheOne && this.#death?.when !== 'after') return this.#end();
    try {
      return await work();
    } finally {
      // A call that was on its way at the time of death may have been carried out; its answer comes to nobody.
      if (this.#dead || (isTheOne && this.#death?.when === 'after')) await this.#end();
    }
  }

  #end(): Promise<never> {
    this.#dead = true;
    this.#die();
    return never();
  }
}

function never(): Promise<never> {
  return new Promise(() => {});
}

/** A table whose every call goes through a doom. */
export function doomedTable(doom: Doom, table: Table): Table {
  return {
    get: (partition, sort) => doom.read(() => table.get(partition, sort)),
    query: (partition, options) => doom.read(() => table.query(partition, options)),
    put: (partition, sort, value, options) =>
      doom.write(`put ${partition} ${sort}`, () => table.put(partition, sort, value, options)),
    delete: (partition, sort, options) =>
      doom.write(`delete ${partition} ${sort}`, () => table.delete(partition, sort, options)),
    batch: (writes) =>
      writes.length === 0
        ? Promise.resolve()
        : doom.write(`batch ${partitionsOf(writes)}`, () => table.batch(writes)),
    close: () => Promise.resolve(),
  };
}

function partitionsOf(writes: Parameters<Table['batch']>[0]): string {
  return [...new Set(writes.map((write) => ('put' in write ? write.put : write.delete).partition))].join(' ');
}

/** A queue whose every call goes through a doom. */
export function doomedQueue(doom: Doom, name: string, queue: Queue): Queue {
  return {
    send: (messages) =>
      messages.length === 0
        ? Promise.resolve()
        : doom.write(`send ${name} ×${messages.length}`, () => queue.send(messages)),
    receive: (options) => doom.read(() => queue.receive(options)),
    extend: (message, ms) => doom.write(`extend ${name}`, () => queue.extend(message, ms)),
    acknowledge: (message) => doom.write(`acknowledge ${name}`, () => queue.acknowledge(message)),
    admit: (message) => queue.admit(message),
    fail: (message, ms) => doom.write(`fail ${name}`, () => queue.fail(message, ms)),
    release: (message, ms) => doom.write(`release ${name}`, () => queue.release(message, ms)),
    deadLetters: (limit) => queue.deadLetters(limit),
    redrive: (ids) => queue.redrive(ids),
    close: () => Promise.resolve(),
  };
}

/** Blobs whose every call goes through a doom. */
export function doomedBlobs(doom: Doom, blobs: Blobs): Blobs {
  return {
    put: (key, data) => doom.write('put a blob', () => blobs.put(key, data)),
    get: (key) => doom.read(() => blobs.get(key)),
    has: (key) => doom.read(() => blobs.has(key)),
    delete: (key) => doom.write('delete a blob', () => blobs.delete(key)),
    list: (prefix) => blobs.list(prefix),
  };
}

const KUBE_WRITES = new Set(['apply', 'create', 'update', 'updateStatus', 'patch', 'delete']);
const KUBE_READS = new Set([
  'resource',
  'preferred',
  'resources',
  'get',
  'getMetadata',
  'list',
  'listMetadata',
  'raw',
]);

/** A cluster's API whose every call goes through a doom; a dry-run writes nothing. */
export function doomedClient(doom: Doom, client: KubeClient): KubeClient {
  return new Proxy(client, {
    get(target, property, receiver) {
      const name = String(property);
      const value = Reflect.get(target, property, receiver) as unknown;
      if (name === 'as')
        return (...args: Parameters<KubeClient['as']>) => doomedClient(doom, target.as(...args));
      if (typeof value !== 'function') return value;
      const call = value.bind(target) as (...args: unknown[]) => Promise<unknown>;
      if (KUBE_READS.has(name)) return (...args: unknown[]) => doom.read(() => call(...args));
      if (!KUBE_WRITES.has(name)) return call;
      return (...args: unknown[]) =>
        args.some((arg) => (arg as { dryRun?: boolean } | undefined)?.dryRun === true)
          ? doom.read(() => call(...args))
          : doom.write(`${name} ${describe(args[0])}`, () => call(...args));
    },
  });
}

function describe(subject: unknown): string {
  const {
    kind = '',
    name,
    metadata,
  } = (subject ?? {}) as {
    kind?: string;
    name?: string;
    metadata?: { name?: string };
  };
  return `${kind}/${name ?? metadata?.name ?? ''}`;
}

/** The engine, sources and forge: a build and a fetch write nothing that lasts. */
export function doomedEngine(doom: Doom, engine: Engine): Engine {
  return new Proxy(engine, {
    get(target, property, receiver) {
      const value = Reflect.get(target, property, receiver) as unknown;
      if (typeof value !== 'function') return value;
      const call = value.bind(target) as (...args: unknown[]) => unknown;
      return (...args: unknown[]) => {
        const answer = call(...args);
        return answer instanceof Promise ? doom.read(() => answer) : answer;
      };
    },
  });
}

/** A kind of source whose every call goes through a doom. */
export function doomedSource<T extends KubernetesObject>(doom: Doom, source: SourceKind<T>): SourceKind<T> {
  return {
    resolve: (object, inputs) => doom.read(() => source.resolve(object, inputs)),
    fetch: (object, revision, inputs) => doom.read(() => source.fetch(object, revision, inputs)),
  };
}

/** A provider's API whose every call goes through a doom. */
export function doomedForge(doom: Doom, forge: Forge): Forge {
  return {
    setCommitStatus: (status) =>
      doom.write(`status ${status.state} ${status.context}`, () => forge.setCommitStatus(status)),
    pullRequestOf: (project, commit) => doom.read(() => forge.pullRequestOf(project, commit)),
    gitCredentials: () => doom.read(() => forge.gitCredentials()),
  };
}
