/**
 * Slipway as a process that can die at any of its writes, step by step and in order, on a real control plane, the real store and the
 * real engine; Git (unless a story brings its own) and its provider are in memory, and time is moved by the test.
 */
import { join } from 'node:path';
import { openIndex } from '../../functions/open-index.ts';
import { enginePath } from '../../infra/engine/location.ts';
import { directoryBlobs } from '../../lib/blobs/directory.ts';
import { sha256 } from '../../lib/core/digest.ts';
import { Job, type PushJob } from '../../lib/core/job.ts';
import { normaliseRepository } from '../../lib/core/repository.ts';
import { gitRevision } from '../../lib/core/revision.ts';
import { sortableId } from '../../lib/core/sortable-id.ts';
import { loadFleet } from '../../lib/fleet/load-fleet.ts';
import type { CommitStatus, Forge } from '../../lib/forge/forge.ts';
import type { KubeClient } from '../../lib/kube/client.ts';
import { createClusterNetwork } from '../../lib/kube/cluster-network.ts';
import { loadKubeconfig } from '../../lib/kube/kubeconfig.ts';
import { createKubeClient } from '../../lib/kube/rest.ts';
import { createLog } from '../../lib/log.ts';
import { createNetworkPolicy } from '../../lib/network.ts';
import { createDispatcher } from '../../lib/notify/dispatch.ts';
import { createRateLimit } from '../../lib/notify/rate-limit.ts';
import { createRegistries } from '../../lib/oci/registries.ts';
import type { Context } from '../../lib/pipeline/context.ts';
import { enqueue } from '../../lib/pipeline/enqueue.ts';
import { handleJob } from '../../lib/pipeline/handle-job.ts';
import { sweep } from '../../lib/pipeline/sweep.ts';
import type { ReceivedMessage } from '../../lib/queue/queue.ts';
import { createEngine, type Engine } from '../../lib/render/engine.ts';
import { createSeal } from '../../lib/secrets/seal.ts';
import type { SourceKind } from '../../lib/source/source.ts';
import { openSqlite, type Sqlite } from '../../lib/store/sqlite.ts';
import { createTar } from '../../lib/tar.ts';
import { createTelemetry } from '../../lib/telemetry.ts';
import type { GitRepository } from '../../lib/toolkit/git-repository.ts';
import {
  Doom,
  doomedBlobs,
  doomedClient,
  doomedEngine,
  doomedForge,
  doomedQueue,
  doomedSource,
  doomedTable,
} from './doom.ts';
import type { Kubernetes } from './kubernetes.ts';
import { ownTable } from './own-table.ts';
import { temporaryDirectory } from './temporary-directory.ts';

/** The cluster's name in the fleet file. */
export const CLUSTER = 'prod';
const HOST = 'git.example.test';

/** What outlives every process: the cluster, the store on disk, Git, and the provider with its statuses. */
export interface World {
  kubernetes: Kubernetes;
  client: KubeClient;
  engine: Engine;
  sqlite: Sqlite;
  directory: string;
  /** Repositories: their files now, and the commit. */
  repositories: Map<string, { commit: string; files: Record<string, string> }>;
  /** The statuses of commits as the provider shows them: `<commit> <context>` to state. */
  statuses: Map<string, CommitStatus>;
  /** Every status that was posted, in order. */
  posted: CommitStatus[];
  /** Epoch in ms. */
  now(): number;
  /** Lets time pass. */
  advance(ms: number): void;
  log: string[];
  /** Gives what a dead process held to the next one, as the store does when it is opened. */
  bury(): Promise<void>;
  /** The clone URL of a repository. */
  url(repository: string): string;
  /** Makes a commit of these files; nothing is told of it. */
  commit(repository: string, files: Record<string, string>): string;
  close(): Promise<void>;
}

/** Opens the world on a control plane. */
export async function openWorld(kubernetes: Kubernetes): Promise<World> {
  const directory = await temporaryDirectory();
  const repositories: World['repositories'] = new Map();
  const statuses: World['statuses'] = new Map();
  let offset = 0;
  const client = createKubeClient(loadKubeconfig(kubernetes.kubeconfig, { name: CLUSTER }), {
    network: createClusterNetwork({
      loopback: true,
      otherwise: createNetworkPolicy({ allow: ['127.0.0.1'] }),
    }),
  });
  const engine = createEngine({ path: enginePath(), timeoutMs: 60_000 });
  const url = (repository: string) => `https://${HOST}/${repository}.git`;
  const now = () => Date.now() + offset;
  const sqlite = await openSqlite({ directory: join(directory.path, 'data'), now });
  return {
    sqlite,
    kubernetes,
    client,
    engine,
    directory: directory.path,
    repositories,
    statuses,
    posted: [],
    log: [],
    now,
    advance(ms) {
      offset += ms;
    },
    url,
    commit(repository, files) {
      const previous = repositories.get(repository)?.commit ?? '';
      const commit = sha256(Buffer.from(`${previous} ${JSON.stringify(files)}`)).slice('sha256:'.length, 47);
      repositories.set(repository, { commit, files });
      return commit;
    },
    async bury() {
      // Longer than a message stays hidden.
      offset += 61_000;
      await openIndex((name) => sqlite.table(name), now, [CLUSTER]).leases.releaseAll(CLUSTER);
    },
    async close() {
      await Promise.allSettled([client.close(), engine.close(), sqlite.close()]);
      await directory.remove();
    },
  };
}

/** One life of the process. */
export interface Mortal {
  ctx: Context;
  doom: Doom;
  /** Takes a push of a commit in as the HTTP edge does. */
  push(repository: string, commit: string): Promise<void>;
  /** Works until no message is left that is due, delivers statuses. @returns how many jobs it did */
  drain(): Promise<number>;
  /** Takes one message of the cluster, without working on it. */
  receive(): Promise<ReceivedMessage | undefined>;
  sweep(): Promise<void>;
  /** Runs something until it is done or the process dies. @returns whether it died */
  dies(work: () => Promise<unknown>): Promise<boolean>;
}

let lives = 0;

/** What a story has of its own instead of what is in memory here; its calls go through the doom as well. */
export type Outside = Partial<Pick<Context, 'git' | 'sources'>>;

/** For what no story of crashes comes to. */
function unused(): never {
  throw new Error('nothing outside is reached');
}

/**
 * Starts a process on what outlived the ones before. The messages and leases of one that died are free when their time has passed, or at
 * once after {@link World.bury}.
 */
export async function live(world: World, doom = new Doom(), outside: Outside = {}): Promise<Mortal> {
  const { now, sqlite } = world;
  lives += 1;
  // Whatever it does, it stays within the rows that a worker of this cluster has a right to on AWS.
  const index = openIndex(
    (name) => doomedTable(doom, ownTable(sqlite.table(name), name as 'index' | 'runs', CLUSTER)),
    now,
    [CLUSTER],
  );
  const fleet = loadFleet(fleetText(world), { path: join(world.directory, 'slipway.yaml') });
  const [config] = fleet.clusters;
  if (!config) throw new Error('the fleet file has no cluster');
  const connection = { config, client: doomedClient(doom, world.client) };
  const stop = new AbortController();
  const queue = doomedQueue(doom, 'cluster', sqlite.queue(CLUSTER));
  const pushes = doomedQueue(doom, 'push', sqlite.queue('push'));
  let ids = 0;
  const provider = { name: 'memory', type: 'gitea', host: HOST, forge: doomedForge(doom, forgeOf(world)) };
  const ctx: Context = {
    fleet,
    queues: { push: pushes, cluster: () => queue },
    index,
    blobs: doomedBlobs(doom, await directoryBlobs(join(world.directory, 'blobs'))),
    engine: doomedEngine(doom, world.engine),
    sources: { GitRepository: doomedSource(doom, sourceOf(world)) as never },
    git: NO_GIT,
    providers: [provider],
    registries: createRegistries({
      policy: createNetworkPolicy({ allow: [] }),
      timeoutMs: 5_000,
      userAgent: 'slipway/test',
      now,
    }),
    cluster: () => Promise.resolve(connection),
    connect: () => connection.client,
    http: { request: unused, stream: unused, close: () => Promise.resolve() },
    seal: await createSeal('the key of an installation that dies often'),
    log: createLog({ level: 'info', format: 'json', write: (line) => void world.log.push(line), now }),
    telemetry: createTelemetry(),
    now,
    newId: () => {
      ids += 1;
      return sortableId(
        now(),
        Buffer.from(`${String(lives).padStart(5, '0')}${String(ids).padStart(5, '0')}`),
      );
    },
    random: () => 0.5,
    // Waiting takes no time: the clock is moved.
    sleep: async (ms) => world.advance(ms),
    holder: `life-${lives}`,
    installation: 'mortal',
    signal: stop.signal,
    ...outside,
  };
  const { outbox } = index;
  const dispatcher = createDispatcher({
    destination: provider.name,
    outbox,
    forge: provider.forge,
    limit: createRateLimit([], now),
    log: ctx.log,
    now,
  });

  async function work(message: ReceivedMessage, from: typeof queue): Promise<void> {
    const handled = await handleJob(ctx, Job.parse(JSON.parse(message.body)));
    if (handled === 'busy') throw new Error(`somebody else is at ${message.group}`);
    await from.acknowledge(message);
  }

  async function drain(): Promise<number> {
    let done = 0;
    for (;;) {
      const before = done;
      for (const each of [pushes, queue]) {
        for (;;) {
          const [message] = await each.receive({ max: 1, waitMs: 0, visibilityMs: 60_000 });
          if (!message) break;
          await work(message, each);
          done += 1;
        }
      }
      await dispatcher.run();
      if (done === before) return done;
    }
  }

  return {
    ctx,
    doom,
    drain,
    push: (repository, commit) => enqueue(ctx, [{ job: pushOf(world, repository, commit) }]),
    async receive() {
      return (await queue.receive({ max: 1, waitMs: 0, visibilityMs: 60_000 }))[0];
    },
    sweep: async () => void (await sweep(ctx, CLUSTER)),
    async dies(life) {
      const running = life();
      running.catch(() => {});
      await Promise.race([running, doom.died]);
      return doom.dead;
    },
  };
}

function pushOf(world: World, repository: string, commit: string): PushJob {
  return {
    type: 'push',
    provider: 'memory',
    repositories: [normaliseRepository(world.url(repository)) ?? ''],
    project: repository,
    ref: 'refs/heads/main',
    commit,
    origin: { id: `push-${commit}`, commit, author: 'Ada' },
    receivedAt: world.now(),
  };
}

function fleetText(world: World): string {
  return JSON.stringify({
    clusters: [
      {
        name: CLUSTER,
        kubeconfig: 'file:kubeconfig',
        source: { url: world.url('owner/fleet'), branch: 'main', path: './' },
      },
    ],
    providers: [{ name: 'memory', type: 'gitea', url: `https://${HOST}`, token: 'env:TOKEN' }],
  });
}

function sourceOf(world: World): SourceKind<GitRepository> {
  const at = (object: GitRepository) => {
    const name = object.spec.url.replace(`https://${HOST}/`, '').replace(/\.git$/, '');
    const found = world.repositories.get(name);
    if (!found) throw new Error(`there is no repository ${name}`);
    return found;
  };
  return {
    resolve: async (object) => gitRevision('main', at(object).commit),
    async fetch(object, revision) {
      const { files, commit } = at(object);
      const tree = Object.entries(files).map(([path, text]) => ({ path, data: Buffer.from(text) }));
      const { archive, index } = createTar(tree);
      const person = 'Ada <ada@example.test>';
      return {
        revision: revision ?? gitRevision('main', commit),
        archive,
        index,
        commit: { hash: commit, author: person, committer: person, subject: 'change' },
      };
    },
  };
}

function forgeOf(world: World): Forge {
  return {
    async setCommitStatus(status) {
      world.posted.push(status);
      world.statuses.set(`${status.commit} ${status.context}`, status);
    },
    pullRequestOf: async () => undefined,
    gitCredentials: async () => undefined,
  };
}

/** Nothing in these stories writes to Git. */
const NO_GIT: Context['git'] = {
  access: {
    open: () => Promise.reject(new Error('nothing is written to Git here')),
    limits: { maxFiles: 0, maxBytes: 0, maxRepositoryBytes: 0 },
  },
  signWithSsh: () => Promise.reject(new Error('nothing is signed here')),
  signWithPgp: () => Promise.reject(new Error('nothing is signed here')),
};
