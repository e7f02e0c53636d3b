import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import process from 'node:process';
import type { Command } from 'commander';
import { messageOf } from '../../lib/core/errors.ts';
import type { Fleet } from '../../lib/fleet/fleet.ts';
import { accountOf } from '../aws/account.ts';
import { openFleet } from '../open-fleet.ts';
import type { GlobalOptions } from './global-options.ts';

interface DeployOptions extends GlobalOptions {
  dryRun?: boolean;
  cluster?: string[];
}

/** `slipway deploy`: the core stack, then a stack for each cluster. */
export function addDeploy(program: Command): void {
  program
    .command('deploy')
    .description('deploy to AWS what the fleet file describes: the core stack, then one for each cluster')
    .option('--dry-run', 'package everything and say what would be deployed; needs no credentials')
    .option('--cluster <name...>', 'of the clusters only these; the core stack is always deployed')
    .action(async (_options, command: Command) => deploy(command.optsWithGlobals<DeployOptions>()));
}

async function deploy(options: DeployOptions): Promise<void> {
  const { fleet } = await openFleet(options.config);
  const chosen = clustersOf(fleet, options.cluster);
  const { aws } = fleet;
  if (!aws)
    throw new Error(
      `${fleet.path} has no section aws: add "aws: { region: eu-west-1 }", see docs/deploy-aws.md`,
    );
  const needImage = fleet.clusters.filter(({ name, aws: own }) => chosen.has(name) && !own?.worker);
  if (!options.dryRun && !aws.image && needImage.length > 0)
    throw new Error(
      `aws.image of ${fleet.path} is not set, and the workers of ${needImage.map(({ name }) => name).join(', ')} run from it: push the image (npm run image) and name it by its digest`,
    );
  if (!options.dryRun)
    say(`account ${await accountOf(aws.region)}, region ${aws.region}, stage ${aws.stage}`);
  const directory = await mkdtemp(join(tmpdir(), 'slipway-deploy-'));
  try {
    await deployFrom(directory, options, chosen);
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

/** Packages into a directory, which nobody else changes meanwhile, and deploys what is there. */
async function deployFrom(directory: string, options: DeployOptions, chosen: Set<string>): Promise<void> {
  // Only here is what they need loaded: nobody else has to install it.
  const { packageStacks } = await import('../../infra/aws/package-stacks.ts');
  const { deployStack, describeStack } = await import('../../infra/aws/deploy-stack.ts');
  const packaged = await packageStacks(resolve(options.config), directory, say);
  const stacks = [packaged.core, ...packaged.clusters.filter(({ name }) => chosen.has(name))];
  if (options.dryRun) {
    for (const stack of stacks) say(`would deploy ${await describeStack(stack)}`);
    return;
  }
  const failed: string[] = [];
  for (const [index, stack] of stacks.entries()) {
    say(`deploying ${stack.name} (${index + 1} of ${stacks.length}); this may take minutes`);
    try {
      for (const line of await deployStack(stack)) say(`  ${line}`);
    } catch (error) {
      // Clusters do not depend on each other, but all depend on the core.
      if (stack === packaged.core) throw error;
      process.stderr.write(`${messageOf(error)}\n`);
      failed.push(stack.name);
    }
  }
  if (failed.length > 0)
    throw new Error(`these stacks could not be deployed: ${failed.join(', ')}; run "slipway deploy" again`);
}

function clustersOf(fleet: Fleet, wanted: readonly string[] | undefined): Set<string> {
  const known = fleet.clusters.map(({ name }) => name);
  const unknown = wanted?.filter((name) => !known.includes(name)) ?? [];
  if (unknown.length > 0)
    throw new Error(
      `there is no cluster ${unknown.join(', ')} in ${fleet.path}; it has: ${known.join(', ')}`,
    );
  return new Set(wanted ?? known);
}

function say(line: string): void {
  process.stdout.write(`${line}\n`);
}
