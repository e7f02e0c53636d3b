import process from 'node:process';
import { clusterOf } from '../../lib/fleet/fleet.ts';
import type { Log } from '../../lib/log.ts';
import { handleJob } from '../../lib/pipeline/handle-job.ts';
import { work } from '../../lib/pipeline/worker.ts';
import { openCore } from './core.ts';
import { readEnvironment } from './environment.ts';
import { openAwsWorker } from './worker.ts';

/** What a worker is told. */
export interface RunWorkerOptions {
  cluster: string;
  /** The fleet file, where the environment names none. */
  config: string;
  log: Log;
  /** Ends the taking of jobs. */
  drain: AbortSignal;
  /** Ends those under way too; they are given back. */
  stop: AbortSignal;
}

/**
 * Does the jobs of one cluster of an installation on AWS until it is told to end. It reads the queue of that cluster and no other.
 * @throws Error when the environment names no installation, or its fleet file has no such cluster
 */
export async function runWorker({ cluster, config, log, drain, stop }: RunWorkerOptions): Promise<void> {
  const { SLIPWAY_FLEET = config } = process.env;
  const environment = readEnvironment({ ...process.env, SLIPWAY_FLEET, SLIPWAY_CLUSTER: cluster });
  const core = await openCore(environment, log, stop);
  try {
    const { fleet, queues } = core.ctx;
    if (!clusterOf(fleet, cluster)) throw new Error(`there is no cluster ${cluster} in ${SLIPWAY_FLEET}`);
    const worker = await openAwsWorker(core, cluster);
    try {
      log.info({ cluster }, 'the worker takes jobs');
      const { concurrency } = fleet.limits;
      await work(
        worker.ctx,
        queues.cluster(cluster),
        concurrency,
        (job) => handleJob(worker.ctx, job),
        drain,
      );
      log.info({ cluster }, 'the worker has ended');
    } finally {
      await worker.close();
    }
  } finally {
    await core.close();
  }
}
