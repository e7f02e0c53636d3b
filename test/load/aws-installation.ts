import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import process from 'node:process';
import { createLog } from '../../lib/log.ts';
import { createAdmin } from '../../lib/pipeline/admin.ts';
import { LEASE_MS } from '../../lib/pipeline/reconcile.ts';
import { type AwsLocal, startAwsLocal } from '../aws-local/aws-local.ts';
import { awsServers } from '../aws-local/resources.ts';
import { freePort } from '../support/ports.ts';
import { writeFleet } from '../support/slipway.ts';
import { CLUSTER } from './cluster-name.ts';
import type { Ground, Installation } from './installation.ts';
import { type LeaseWatch, startLeaseWatch } from './lease-watch.ts';
import { LoadWorker } from './load-worker.ts';

const CLI = join(import.meta.dirname, '..', '..', 'functions', 'cli.ts');
const ENVIRONMENT = join(import.meta.dirname, 'function-environment.ts');

/** By how much clocks may differ on AWS, in ms: for so long a lease is left alone when its time has passed. */
const SKEW_MS = 30_000;

/** What each worker is: `slipway worker`, or an environment of the function `reconcile`. */
const PROGRAMS: readonly (readonly string[])[] = [
  [CLI, 'worker', '--cluster', CLUSTER],
  [ENVIRONMENT],
  [CLI, 'worker', '--cluster', CLUSTER],
  [ENVIRONMENT],
];

/** The functions of AWS in this process, but for those that write to the cluster: each of these is a process that can be struck. */
export async function startAwsInstallation(ground: Ground): Promise<Installation> {
  const { directory, kubernetes, gitea, fleet, evidence } = ground;
  const port = await freePort();
  const fleetIn = (folder: string, kubeconfig: string) =>
    writeFleet(
      { directory: folder, clusters: { [CLUSTER]: { kubeconfig } }, repository: fleet, gitea },
      port,
    );
  const aws = await startAwsLocal({
    name: 'load',
    fleet: await fleetIn(directory, kubernetes.kubeconfig),
    clusters: [CLUSTER],
    elsewhere: [CLUSTER],
    directory: join(directory, 'aws'),
    port,
    tickMs: 5_000,
    log: createLog({ level: 'silent', format: 'json', write() {}, now: Date.now }),
  });
  const { dynalite } = await awsServers();
  const watches: LeaseWatch[] = [];
  const workers: LoadWorker[] = [];
  for (const [index, args] of PROGRAMS.entries()) {
    const name = `worker-${index + 1}`;
    const folder = join(directory, name);
    await mkdir(folder, { recursive: true });
    const watch = await startLeaseWatch(dynalite.endpoint, evidence, () => worker.life);
    watches.push(watch);
    const worker: LoadWorker = new LoadWorker({
      ...{ name, kubernetes, evidence, args },
      directory: folder,
      env: environmentOf(aws, folder, watch),
      configure: (kubeconfig) => fleetIn(folder, kubeconfig),
      isReady: async (server) => server.logTail(50).includes('takes jobs'),
    });
    workers.push(worker);
  }
  await Promise.all(workers.map((worker) => worker.start()));
  return {
    backend: 'aws',
    url: aws.url,
    workers,
    pauseMs: LEASE_MS + SKEW_MS + 5_000,
    mostPaused: 2,
    async deadLetters() {
      const { ctx } = aws.worker;
      const letters = await createAdmin(ctx).deadLetters();
      const unsaid = (await ctx.queues.notify?.deadLetters(1_000)) ?? [];
      return [...letters, ...unsaid.map((letter) => ({ ...letter, queue: 'notify' }))].map(
        ({ queue, group }) => `${queue}: ${group}`,
      );
    },
    async stop() {
      await Promise.all(workers.map((worker) => worker.stop()));
      await aws.stop();
      await Promise.all(watches.map((watch) => watch.stop()));
    },
  };
}

function environmentOf(aws: AwsLocal, folder: string, watch: LeaseWatch): NodeJS.ProcessEnv {
  return {
    ...process.env,
    ...aws.variables,
    SLIPWAY_FLEET: join(folder, 'slipway.yaml'),
    SLIPWAY_DIRECTORY: join(folder, 'data'),
    SLIPWAY_CLUSTER: CLUSTER,
    AWS_ENDPOINT_URL_DYNAMODB: watch.url,
  };
}
