import { FUNCTIONS, QUEUES, queueUrl } from '../../../functions/aws/environment.ts';
import { type QueueHandler, queueHandler } from '../../../functions/aws/queue-event.ts';
import { handleJob } from '../../../lib/pipeline/handle-job.ts';
import { createNotifier } from '../../../lib/pipeline/notifier.ts';
import type { WithStatus } from '../../../lib/pipeline/status.ts';
import { TICK_MS, tick } from '../../../lib/pipeline/tick.ts';
import { sqsForwarder } from '../../../lib/queue/sqs-forward.ts';
import { Api } from '../modelled-api.ts';
import { Rows } from '../modelled-table.ts';
import { type FunctionEnvironment, OWN_MS, openEnvironment, QUEUE_PREFIX } from './environment.ts';
import { type IdleFleet, idleCommit, idleFleetFile } from './idle-fleet.ts';
import { type Counted, combine, type FunctionName, noneCounted } from './meter.ts';
import { ModelledSqs } from './modelled-sqs.ts';

/** By then everything is deployed, and every status told. */
const SETTLED_MINUTES = 30;

export const DAY_MINUTES = 24 * 60;

/** Lambda hands a function as much time as it may have. */
const ENDLESS = { getRemainingTimeInMillis: () => Number.MAX_SAFE_INTEGER / 2 };

/**
 * Lets a day pass on a fleet that is deployed and in which nothing happens, and counts what is asked of AWS meanwhile. What runs is the
 * production code of the functions, with a tick every minute, over models of the queues, the table, the bucket and the clusters.
 * @param minutes how long to count. Default: a day
 */
export async function idleDay(fleet: IdleFleet, minutes: number = DAY_MINUTES): Promise<Counted> {
  const installation = {
    fleet: idleFleetFile(fleet),
    commit: idleCommit(fleet),
    rows: new Rows(),
    blobs: new Map<string, Uint8Array>(),
    sqs: new ModelledSqs(),
    apis: new Map<string, Api>(),
    counted: noneCounted(),
  };
  const { counted, sqs, apis } = installation;
  for (const { name } of installation.fleet.clusters) {
    const api = new Api();
    api.create({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'flux-system' } });
    apis.set(name, api);
  }
  let environments = 0;
  const open = () => {
    environments += 1;
    return openEnvironment(installation, environments);
  };

  /** A function that reads a queue, in one environment: takes what is there at a time and before another, as Lambda does. */
  function reader(name: FunctionName, queue: string, handle: (opened: FunctionEnvironment) => QueueHandler) {
    const opened = open();
    const handler = handle(opened);
    const { clock } = opened;
    const url = queueUrl(QUEUE_PREFIX, queue);
    const requests = url.endsWith('.fifo') ? 'sqsFifo' : 'sqsStandard';
    const { batchSize } = FUNCTIONS[name].trigger as { batchSize: number };
    return async (until: number): Promise<boolean> => {
      const at = Math.max(clock.now, sqs.nextAt(url));
      if (at >= until) return false;
      clock.now = at;
      const records = sqs.receive(url, batchSize, clock.now);
      const { batchItemFailures: failed } = await invoke(name, clock, () =>
        handler({ Records: records }, ENDLESS),
      );
      if (failed.length > 0) throw new Error(`${name} failed while nothing happened`);
      for (const { receiptHandle } of records) sqs.delete(url, receiptHandle);
      // Lambda has received the messages by one request, and deletes them by another, whether or not they are gone already.
      counted[requests] += 2;
      return true;
    };
  }

  async function invoke<T>(name: FunctionName, clock: { now: number }, act: () => Promise<T>): Promise<T> {
    const began = clock.now;
    const result = await act();
    clock.now += OWN_MS;
    const invocation = counted.functions[name];
    invocation.invocations += 1;
    invocation.ms += clock.now - began;
    return result;
  }

  const ticking = open();
  const readers = [
    reader('notify', QUEUES.notify, ({ ctx }) => {
      const notifier = createNotifier(ctx);
      return queueHandler(async () => ({
        ctx,
        queue: ctx.queues.notify,
        marginMs: 0,
        async handle({ endsAt }, job) {
          if (job.type === 'notify') await notifier.deliver(job, endsAt);
          return 'done';
        },
      }));
    }),
    reader('forward', QUEUES.delay, ({ clock }) => {
      const api = sqs.api(
        () => clock.now,
        (_operation, url) => {
          counted[url.endsWith('.fifo') ? 'sqsFifo' : 'sqsStandard'] += 1;
        },
      );
      const forwarder = sqsForwarder({
        sqs: api,
        delayQueueUrl: queueUrl(QUEUE_PREFIX, QUEUES.delay),
        queueUrl: (name) => queueUrl(QUEUE_PREFIX, name),
      });
      return async ({ Records: records }) => {
        const failed = await forwarder.forward(records);
        return { batchItemFailures: [...failed.keys()].map((itemIdentifier) => ({ itemIdentifier })) };
      };
    }),
    ...installation.fleet.clusters.map(({ name }) =>
      reader('reconcile', QUEUES.cluster(name), ({ ctx }) =>
        queueHandler(async () => ({
          ctx,
          queue: ctx.queues.cluster(name),
          marginMs: 0,
          handle: (given, job) => handleJob(given, job),
        })),
      ),
    ),
  ];

  const began = ticking.clock.now;
  async function pass(from: number, to: number): Promise<void> {
    for (let minute = from; minute < to; minute += 1) {
      const until = began + (minute + 1) * TICK_MS;
      ticking.clock.now = until - TICK_MS;
      await invoke('sweep', ticking.clock, () => tick(ticking.ctx));
      let busy = true;
      while (busy) {
        busy = false;
        for (const read of readers) while (await read(until)) busy = true;
      }
    }
  }

  await pass(0, SETTLED_MINUTES);
  assertDeployed(installation.apis, fleet);
  const before = structuredClone(counted);
  await pass(SETTLED_MINUTES, SETTLED_MINUTES + minutes);
  return combine([before, counted], (earlier = 0, later = 0) => later - earlier);
}

/** @throws Error when a Toolkit object is missing or not ready: the day would not be that of a fleet that is in order */
function assertDeployed(apis: ReadonlyMap<string, Api>, { objects, sources }: IdleFleet): void {
  for (const [name, api] of apis) {
    const found = [
      ...api.list('source.toolkit.fluxcd.io', 'GitRepository'),
      ...api.list('kustomize.toolkit.fluxcd.io', 'Kustomization'),
    ];
    const ready = (found as WithStatus[]).filter(({ status }) =>
      ((status?.conditions ?? []) as { type: string; status: string }[]).some(
        (condition) => condition.type === 'Ready' && condition.status === 'True',
      ),
    );
    if (ready.length !== objects)
      throw new Error(`${ready.length} of ${objects} objects (${sources} sources) are ready in ${name}`);
  }
}
