import { QUEUES, queueUrl } from '../../../functions/aws/environment.ts';
import { cachedSecrets } from '../../../functions/aws/fleet.ts';
import { openIndex } from '../../../functions/open-index.ts';
import type { Fleet } from '../../../lib/fleet/fleet.ts';
import { createLog } from '../../../lib/log.ts';
import type { Context, Queues } from '../../../lib/pipeline/context.ts';
import { enqueue } from '../../../lib/pipeline/enqueue.ts';
import type { Queue } from '../../../lib/queue/queue.ts';
import { sqsQueue } from '../../../lib/queue/sqs.ts';
import type { Timers } from '../../../lib/queue/timers.ts';
import { meteredTable } from '../../support/metered-table.ts';
import { Chance } from '../chance.ts';
import type { Api } from '../modelled-api.ts';
import { modelledClient } from '../modelled-client.ts';
import { modelledTable, type Rows } from '../modelled-table.ts';
import { type Place, Process, Scheduler } from '../scheduler.ts';
import { modelledBlobs, UNUSED, unused } from '../worker.ts';
import { type idleCommit, PROVIDER } from './idle-fleet.ts';
import type { Counted } from './meter.ts';
import type { ModelledSqs } from './modelled-sqs.ts';

/** What the URLs of all queues begin with. */
export const QUEUE_PREFIX = 'https://sqs.us-east-1.amazonaws.com/123456789012/slipway-prod-';

/** What every function of the installation shares. */
export interface Installation {
  fleet: Fleet;
  commit: ReturnType<typeof idleCommit>;
  rows: Rows;
  blobs: Map<string, Uint8Array>;
  sqs: ModelledSqs;
  /** The API server of each cluster. */
  apis: ReadonlyMap<string, Api>;
  counted: Counted;
}

/**
 * How long a call is taken to last, in ms, for a function that stands in the region of its queue and table. A function's time is the sum of
 * its calls, as if it made one after the other, and {@link OWN_MS}: more than it is.
 */
export const CALL_MS: Readonly<Record<Place | 'secret', number>> = {
  table: 5,
  queue: 10,
  kube: 15,
  blobs: 25,
  source: 400,
  secret: 20,
};

/** What an invocation takes beside its calls, in ms. */
export const OWN_MS = 30;

/** Lets every call go at once, and has the clock of one environment go on with it. */
class Straight extends Scheduler {
  readonly #counted: Counted;

  constructor(counted: Counted) {
    super(new Chance(1));
    this.#counted = counted;
  }

  override async call<T>(
    _process: Process,
    place: Place,
    name: string,
    { writes, act }: { writes: boolean; act(): T },
  ): Promise<T> {
    this.now += CALL_MS[place];
    const counted = this.#counted;
    if (place === 'kube') counted.kubernetes += 1;
    // S3 charges a list like a write.
    if (place === 'blobs') counted[writes || name.startsWith('list') ? 's3Writes' : 's3Reads'] += 1;
    return act();
  }
}

/** Nothing lasts long enough for a heartbeat. */
const NO_TIMERS: Timers = { set: () => undefined, clear() {} };

/** One environment of a function, kept warm, with its own clock. */
export interface FunctionEnvironment {
  ctx: Context & { queues: Queues & { notify: Queue } };
  clock: { now: number };
}

/** Opens the production context of a function over the models. */
export function openEnvironment(installation: Installation, seed: number): FunctionEnvironment {
  const { fleet, commit, sqs, apis, counted } = installation;
  const clock = new Straight(counted);
  const process = new Process(`environment-${seed}`);
  const now = () => clock.now;
  const chance = new Chance(seed);
  let ids = 0;
  const newId = () => {
    ids += 1;
    return `${String(now()).padStart(15, '0')}-${seed}-${ids}`;
  };
  const api = sqs.api(now, (_operation, url) => {
    clock.now += CALL_MS.queue;
    counted[url.endsWith('.fifo') ? 'sqsFifo' : 'sqsStandard'] += 1;
  });
  const rows = modelledTable(clock, process, installation.rows);
  const table = meteredTable(rows, counted.table);
  const queue = (name: string): Queue =>
    sqsQueue({
      sqs: api,
      name,
      queueUrl: queueUrl(QUEUE_PREFIX, name),
      deadLetterQueueUrl: queueUrl(QUEUE_PREFIX, QUEUES.deadOf(name)),
      delayQueueUrl: queueUrl(QUEUE_PREFIX, QUEUES.delay),
      tries: { table, partition: `tries#${name}` },
      now,
      timers: NO_TIMERS,
    });
  const queues = {
    push: queue(QUEUES.push),
    notify: queue(QUEUES.notify),
    cluster: (name: string) => queue(QUEUES.cluster(name)),
  };
  const index = openIndex(
    () => table,
    now,
    fleet.clusters.map(({ name }) => name),
    {
      wished: (destination) =>
        enqueue({ queues, newId }, [{ job: { type: 'notify', destination, requestedAt: now() } }]),
    },
  );
  const secret = cachedSecrets(async (reference) => {
    clock.now += CALL_MS.secret;
    counted.secretReads += 1;
    return reference;
  }, now);
  const connections = new Map<string, Awaited<ReturnType<Context['cluster']>>>();
  const ctx: FunctionEnvironment['ctx'] = {
    fleet,
    queues,
    index,
    blobs: modelledBlobs(clock, process, installation.blobs),
    engine: commit.engine,
    sources: {
      GitRepository: {
        async resolve(object, inputs) {
          clock.now += CALL_MS.source;
          counted.git += 1;
          return commit.source.resolve(object as never, inputs);
        },
        fetch: (object, revision, inputs) => commit.source.fetch(object as never, revision, inputs),
      },
    },
    providers: [
      {
        name: PROVIDER,
        type: 'gitea',
        host: 'git.example.test',
        forge: {
          setCommitStatus: async () => {},
          pullRequestOf: async () => undefined,
          gitCredentials: async () => ({
            username: 'slipway',
            password: await secret('aws-sm:slipway/token'),
          }),
        },
      },
    ],
    async cluster(name) {
      const known = connections.get(name);
      if (known) return known;
      const config = fleet.clusters.find((each) => each.name === name);
      const served = apis.get(name);
      if (!config || !served) throw new Error(`there is no cluster ${name}`);
      await secret(config.kubeconfig ?? '');
      const opened = { config, client: modelledClient(clock, process, served, () => {}) };
      connections.set(name, opened);
      return opened;
    },
    connect: unused,
    ...UNUSED,
    log: createLog({
      level: 'info',
      format: 'json',
      write(line) {
        counted.logBytes += Buffer.byteLength(line);
      },
      now,
    }),
    telemetry: { span: (_name, _attributes, act) => act(), count() {}, duration() {} },
    now,
    newId,
    random: () => chance.next(),
    async sleep(ms) {
      clock.now += ms;
    },
    timers: NO_TIMERS,
    holder: process.name,
    installation: 'idle',
    signal: new AbortController().signal,
  };
  return { ctx, clock };
}
