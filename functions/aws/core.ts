import { randomBytes } from 'node:crypto';
import { hostname } from 'node:os';
import process from 'node:process';
import { setTimeout as delay } from 'node:timers/promises';
import { messageOf } from '../../lib/core/errors.ts';
import type { Log } from '../../lib/log.ts';
import type { Core, Queues } from '../../lib/pipeline/context.ts';
import { enqueue } from '../../lib/pipeline/enqueue.ts';
import type { Queue } from '../../lib/queue/queue.ts';
import type { OpenFleet } from '../open-fleet.ts';
import { type OpenIndex, openIndex } from '../open-index.ts';
import type { Environment } from './environment.ts';
import type { Opened } from './lambda.ts';
import { logOf } from './log.ts';
import { openBase } from './open-base.ts';

/** By how much the clocks of workers may differ, in ms: those of functions hardly do, that of a worker elsewhere may. */
const SKEW_MS = 30_000;

/** What functions without any credential of a cluster work with. */
export interface AwsCore extends Opened {
  ctx: Core & { index: OpenIndex; queues: Queues & { notify: Queue } };
  open: OpenFleet;
  environment: Environment;
}

/** Opens queues, index and fleet file. @throws the error of reading the fleet file */
export async function openCore(
  environment: Environment,
  log: Log = logOf(environment),
  signal: AbortSignal = new AbortController().signal,
): Promise<AwsCore> {
  const { open, queues, table, newId } = await openBase(environment);
  const index = openIndex(
    table,
    Date.now,
    open.fleet.clusters.map(({ name }) => name),
    {
      leases: { skewMs: SKEW_MS },
      // The tick finds what nobody was told of.
      wished: (destination) =>
        enqueue({ queues, newId }, [{ job: { type: 'notify', destination, requestedAt: Date.now() } }]).catch(
          (error: unknown) =>
            log.warn({ destination, error: messageOf(error) }, 'a status waits for the next tick'),
        ),
    },
  );
  const ctx = {
    fleet: open.fleet,
    queues,
    index,
    providers: open.fleet.providers,
    log,
    now: Date.now,
    newId,
    random: Math.random,
    sleep: (ms: number, waiting?: AbortSignal) => delay(ms, undefined, waiting ? { signal: waiting } : {}),
    signal,
  };
  return {
    ctx,
    open,
    environment,
    isCurrent: () => open.isCurrent(),
    async close() {},
  };
}

/** Names a process as the holder of leases. */
export function holderName(): string {
  return `${hostname()}-${process.pid}-${randomBytes(4).toString('hex')}`;
}
