import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { setTimeout as delay } from 'node:timers/promises';
import type { Command } from 'commander';
import { enginePath } from '../../infra/engine/location.ts';
import { createHttp } from '../../lib/http.ts';
import { createNetworkPolicy } from '../../lib/network.ts';
import type { FluxController } from '../../lib/pipeline/adoption.ts';
import { obstacles, preflight, release, stopFlux } from '../../lib/pipeline/adoption.ts';
import type { AppliedContext } from '../../lib/pipeline/applied-worlds.ts';
import type { ClusterConnection } from '../../lib/pipeline/context.ts';
import { eject } from '../../lib/pipeline/eject.ts';
import { createEngine } from '../../lib/render/engine.ts';
import { openClusters } from '../open-clusters.ts';
import { openFleet } from '../open-fleet.ts';
import { openProviders, openSources } from '../open-sources.ts';
import type { GlobalOptions } from './global-options.ts';
import { withClusters } from './global-options.ts';
import { colour } from './print.ts';

interface Options extends GlobalOptions {
  dryRun?: boolean;
  force?: boolean;
  yes?: boolean;
}

/** `slipway adopt`: takes a cluster over from Flux. */
export function addAdopt(program: Command): void {
  program
    .command('adopt <cluster>')
    .description(
      'take a cluster over from Flux: look that nothing would change, then scale its controllers to none',
    )
    .option('--dry-run', 'only look')
    .option('--force', 'although something stands against it')
    .addHelpText(
      'after',
      `
Every Kustomization is rendered at the revision that it has applied and compared with the cluster. When nothing would change,
and there are no objects that only Flux can reconcile, the controllers are scaled to none (what they had is noted on
them), and "slipway serve" goes on with the same objects, inventories and field managers. "slipway release" goes back.`,
    )
    .action(async (name: string, _options, command: Command) =>
      adopt(name, command.optsWithGlobals<Options>()),
    );
}

/** `slipway release`: gives a cluster back to Flux. */
export function addRelease(program: Command): void {
  program
    .command('release <cluster>')
    .description('give an adopted cluster back to Flux: its controllers get the replicas they had')
    .option('--dry-run', 'only say what would be done')
    .option('--force', 'although Slipway is at work there')
    .action(async (name: string, _options, command: Command) => {
      const options = command.optsWithGlobals<Options>();
      await withCluster(name, options, async (cluster) => {
        const { force = false, dryRun = false } = options;
        const scaled = await release({ now: Date.now }, cluster, { force, dryRun });
        for (const { namespace, name: controller, before } of scaled)
          say(`${dryRun ? 'would scale' : 'scaled'} Deployment/${namespace}/${controller} to ${before}`);
        if (scaled.length === 0) say(`no controller of Flux in ${name} was scaled down by "slipway adopt"`);
        else if (!dryRun) say(`next: take ${name} out of slipway.yaml, so that Slipway does not wait for it`);
      });
    });
}

/** `slipway eject`: leaves a cluster, workloads and all, to nobody. */
export function addEject(program: Command): void {
  program
    .command('eject <cluster>')
    .description(
      'let go of everything in a cluster; all workloads stay, and nothing keeps them up to date any more',
    )
    .option('--yes', 'really do it')
    .option('--dry-run', 'only say what would be done')
    .addHelpText(
      'after',
      `
Every Toolkit object is suspended and loses the finalizer by which its deletion would delete what it has applied. After that
the objects, and their CustomResourceDefinitions, can be deleted without touching a workload.`,
    )
    .action(async (name: string, _options, command: Command) => {
      const options = command.optsWithGlobals<Options>();
      const dryRun = options.dryRun === true || options.yes !== true;
      await withCluster(name, options, async (cluster) => {
        const objects = await eject(cluster, { dryRun });
        for (const object of objects)
          say(`${dryRun ? 'would suspend and let go' : 'suspended and let go'} ${object}`);
        if (objects.length === 0) say(`there is nothing to let go in ${name}`);
        else if (!dryRun) say(`next: take ${name} out of slipway.yaml`);
        else if (options.dryRun !== true) {
          process.stderr.write('slipway: nothing was done; run it with --yes to do it\n');
          process.exitCode = 1;
        }
      });
    });
}

async function adopt(name: string, options: Options): Promise<void> {
  await withAppliedContext(name, options, async (ctx, cluster) => {
    const found = await preflight(ctx, cluster);
    for (const controller of found.controllers) say(controllerText(controller, found.running));
    if (found.controllers.length === 0) say(`there are no controllers of Flux in ${name}`);
    const against = obstacles(found);
    for (const obstacle of against) say(`${colour('✗', 'bad')} ${obstacle}`);
    const checked = found.planned.reduce((sum, { entries }) => sum + entries.length, 0);
    if (against.length === 0)
      say(`${found.planned.length} Kustomizations with ${checked} objects: nothing would change`);
    if (against.length > 0 && !options.force) {
      const reason = 'mend this first (what Flux itself would correct, let it reconcile), or give --force';
      process.stderr.write(`slipway: ${name} was not adopted; ${reason}\n`);
      process.exitCode = 1;
      return;
    }
    if (options.dryRun) {
      say(`${name} can be adopted; nothing was done`);
      return;
    }
    if (found.controllers.some(({ replicas }) => replicas > 0) || found.running.length > 0)
      say('scaling the controllers to none and waiting until they have stopped (up to two minutes) …');
    await stopFlux(ctx, cluster);
    say(`${colour(`${name} is adopted`, 'good')}; next: slipway serve`);
  });
}

function controllerText(
  { namespace, name, version, replicas, before }: FluxController,
  running: readonly string[],
): string {
  const state = running.includes(name) ? 'at work' : replicas > 0 ? 'not at work' : 'scaled to none';
  const noted = before === undefined ? '' : `, had ${before}`;
  return `Flux ${namespace}/${name} ${version}: ${replicas} replicas${noted}, ${state}`;
}

async function withCluster(
  name: string,
  options: Options,
  work: (cluster: ClusterConnection) => Promise<void>,
): Promise<void> {
  await withClusters({ ...options, cluster: name }, async ([cluster]) => {
    if (cluster) await work(cluster);
  });
}

async function withAppliedContext(
  name: string,
  options: Options,
  work: (
    ctx: AppliedContext & { sleep(ms: number): Promise<void> },
    cluster: ClusterConnection,
  ) => Promise<void>,
): Promise<void> {
  const path = enginePath();
  if (!existsSync(path)) throw new Error('the engine is not built; run: npm run build:engine');
  const open = await openFleet(options.config);
  const { fleet } = open;
  const policy = createNetworkPolicy({ allow: fleet.network.allow });
  const clusters = openClusters(open, policy);
  const directory = await mkdtemp(join(tmpdir(), 'slipway-adopt-'));
  const engine = createEngine({ path, timeoutMs: fleet.limits.renderTimeout });
  const http = createHttp({
    policy,
    timeoutMs: fleet.limits.requestTimeout,
    maxBytes: 1024 * 1024,
    userAgent: 'slipway',
  });
  try {
    const ctx = {
      fleet,
      engine,
      ...openSources(fleet, policy, http, directory),
      providers: openProviders(open, http),
      connect: (kubeconfig: string, called: string) => clusters.connect(kubeconfig, called),
      now: Date.now,
      sleep: (ms: number) => delay(ms),
      signal: new AbortController().signal,
    };
    await work(ctx, await clusters.cluster(name));
  } finally {
    await Promise.allSettled([engine.close(), clusters.close(), http.close()]);
    await rm(directory, { recursive: true, force: true });
  }
}

function say(line: string): void {
  process.stdout.write(`${line}\n`);
}
