import { openIndex } from '../../functions/open-index.ts';
import type { Blobs } from '../../lib/blobs/blobs.ts';
import { loadFleet } from '../../lib/fleet/load-fleet.ts';
import type { KubeClient } from '../../lib/kube/client.ts';
import { silentLog } from '../../lib/log.ts';
import type { Context, Index } from '../../lib/pipeline/context.ts';
import type { Queue } from '../../lib/queue/queue.ts';
import type { Table } from '../../lib/store/table.ts';
import { Chance } from './chance.ts';
import type { Api } from './modelled-api.ts';
import { modelledClient, type OnSent } from './modelled-client.ts';
import { type Line, modelledQueue } from './modelled-queue.ts';
import { modelledTable, type Rows } from './modelled-table.ts';
import { modelledEngine, modelledSource, type Repository, URL } from './repository.ts';
import type { Process, Scheduler } from './scheduler.ts';

export const CLUSTER = 'prod';
export const PROVIDER = 'memory';
const HOST = 'git.example.test';

/** By how much the clocks of workers may differ, as the functions on AWS have it, in ms. */
const SKEW_MS = 30_000;

const FLEET = loadFleet(
  JSON.stringify({
    clusters: [
      { name: CLUSTER, kubeconfig: 'file:kubeconfig', source: { url: URL, branch: 'main', path: './root' } },
    ],
    providers: [{ name: PROVIDER, type: 'gitea', url: `https://${HOST}`, token: 'env:TOKEN' }],
  }),
  { path: '/simulated/slipway.yaml' },
);

/** What outlives every process. */
export interface Surroundings {
  scheduler: Scheduler;
  rows: Rows;
  api: Api;
  repository: Repository;
  blobs: Map<string, Uint8Array>;
  pushes: Line;
  jobs: Line;
  onSent: OnSent;
}

/** Changes a part of a process before it is used: how faults are planted. */
export interface Plant {
  table?(table: Table): Table;
  index?(index: Index): Index;
  queue?(queue: Queue, surroundings: Surroundings): Queue;
  client?(client: KubeClient, surroundings: Surroundings): KubeClient;
}

/** The production context of one process, over modelled parts. */
export function contextOf(around: Surroundings, process: Process, seed: number, plant: Plant = {}): Context {
  const { scheduler } = around;
  const now = () => scheduler.now;
  const table = modelledTable(scheduler, process, around.rows);
  const opened = openIndex(() => plant.table?.(table) ?? table, now, [CLUSTER], {
    leases: { skewMs: SKEW_MS },
  });
  const queueOf = (line: Line) => {
    const queue = modelledQueue(scheduler, process, line, table);
    return plant.queue?.(queue, around) ?? queue;
  };
  const [pushes, jobs] = [queueOf(around.pushes), queueOf(around.jobs)];
  const client = modelledClient(scheduler, process, around.api, around.onSent);
  const [config] = FLEET.clusters;
  if (!config) throw new Error('the fleet file has no cluster');
  const connection = { config, client: plant.client?.(client, around) ?? client };
  const chance = new Chance(seed);
  const signal = new AbortController().signal;
  let ids = 0;
  return {
    fleet: FLEET,
    queues: { push: pushes, cluster: () => jobs },
    index: plant.index?.(opened) ?? opened,
    blobs: modelledBlobs(scheduler, process, around.blobs),
    engine: modelledEngine(around.repository),
    sources: { GitRepository: modelledSource(scheduler, process, around.repository) as never },
    providers: [{ name: PROVIDER, type: 'gitea', host: HOST, forge: NO_FORGE }],
    cluster: () => Promise.resolve(connection),
    connect: () => connection.client,
    ...UNUSED,
    log: silentLog,
    telemetry: { span: (_name, _attributes, act) => act(), count() {}, duration() {} },
    now,
    newId: () => {
      ids += 1;
      return `${process.name}-${String(ids).padStart(5, '0')}`;
    },
    random: () => chance.next(),
    sleep: (ms) => scheduler.sleep(process, ms),
    timers: scheduler.timers(process),
    holder: process.name,
    installation: 'simulated',
    signal,
  };
}

/** A store of blobs as one process sees it. */
export function modelledBlobs(scheduler: Scheduler, process: Process, blobs: Map<string, Uint8Array>): Blobs {
  const call = <T>(name: string, writes: boolean, act: () => T) =>
    scheduler.call(process, 'blobs', name, { writes, act });
  return {
    put: (key, data) => call(`put ${key}`, true, () => void blobs.set(key, data)),
    get: (key) => call(`get ${key}`, false, () => blobs.get(key)),
    has: (key) => call(`has ${key}`, false, () => blobs.has(key)),
    delete: (key) => call(`delete ${key}`, true, () => void blobs.delete(key)),
    async *list(prefix) {
      for (const key of await call(`list ${prefix}`, false, () => [...blobs.keys()]))
        if (key.startsWith(prefix)) yield { key, size: 0, modifiedAt: 0 };
    },
  };
}

export function unused(): never {
  throw new Error('no story comes to this');
}

/** Statuses are read from the outbox. */
const NO_FORGE = {
  setCommitStatus: unused,
  pullRequestOf: unused,
  gitCredentials: () => Promise.resolve(undefined),
};

/** Parts that no story comes to. */
export const UNUSED: Pick<Context, 'git' | 'registries' | 'http' | 'seal'> = {
  git: {
    access: { open: unused, limits: { maxFiles: 0, maxBytes: 0, maxRepositoryBytes: 0 } },
    signWithSsh: unused,
    signWithPgp: unused,
  },
  registries: new Proxy({}, { get: unused }) as Context['registries'],
  http: { request: unused, stream: unused, close: () => Promise.resolve() },
  seal: new Proxy({}, { get: unused }) as Context['seal'],
};
