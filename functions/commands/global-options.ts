import process from 'node:process';
import type { Command } from 'commander';
import { messageOf } from '../../lib/core/errors.ts';
import { createNetworkPolicy } from '../../lib/network.ts';
import type { ClusterConnection } from '../../lib/pipeline/context.ts';
import { openClusters } from '../open-clusters.ts';
import type { OpenFleet } from '../open-fleet.ts';
import { openFleet } from '../open-fleet.ts';
import type { Output } from './print.ts';
import { printable } from './print.ts';

/** Options that every command has. */
export interface GlobalOptions {
  config: string;
  output: Output;
}

/** Options of commands that speak of Toolkit objects. */
export interface ObjectOptions extends GlobalOptions {
  cluster?: string;
  namespace?: string;
}

/** Adds `--cluster` and `--namespace` to a command. */
export function withObjectOptions(command: Command): Command {
  return command
    .option('--cluster <name>', 'one cluster; all of the fleet file by default')
    .option('-n, --namespace <namespace>', 'one namespace');
}

/** An object that a command names does not exist in a cluster. */
export class MissingObject extends Error {
  override readonly name = 'MissingObject';
}

/**
 * Does the work in every cluster that the options name, at the same time, and answers what came of it where it went well. A cluster that
 * cannot be reached stands in the way of no other: it is told on stderr, and the exit code is 1. So is an object that is in none of
 * the clusters; where it is in some, the others are only told.
 * @throws Error for a cluster that is not in the fleet file
 */
export async function inEachCluster<T>(
  options: ObjectOptions,
  work: (cluster: ClusterConnection) => Promise<T>,
): Promise<T[]> {
  const open = await openFleet(options.config);
  const clusters = openClusters(open, createNetworkPolicy({ allow: open.fleet.network.allow }));
  const names = namesOf(options, open);
  try {
    const results = await Promise.allSettled(names.map(async (name) => work(await clusters.cluster(name))));
    const done = results.flatMap((result) => (result.status === 'fulfilled' ? [result.value] : []));
    for (const [index, result] of results.entries()) {
      if (result.status === 'fulfilled') continue;
      const missing = result.reason instanceof MissingObject;
      const where = missing ? '' : `cluster ${names[index]}: `;
      process.stderr.write(`slipway: ${where}${printable(messageOf(result.reason))}\n`);
      if (!missing || done.length === 0) process.exitCode = 1;
    }
    return done;
  } finally {
    await clusters.close();
  }
}

/**
 * The clusters that the options name.
 * @throws Error for one that is not in the fleet file
 */
export function namesOf({ cluster }: { cluster?: string }, { fleet }: OpenFleet): string[] {
  const names = fleet.clusters.map(({ name }) => name);
  if (cluster === undefined) return names;
  if (names.includes(cluster)) return [cluster];
  throw new Error(`there is no cluster ${cluster} in ${fleet.path}; it has: ${names.join(', ') || 'none'}`);
}

/**
 * Opens the clusters that the options name, does the work and closes them.
 * @throws Error for a cluster that is not in the fleet file
 */
export async function withClusters<T>(
  options: ObjectOptions,
  work: (clusters: ClusterConnection[], open: OpenFleet) => Promise<T>,
): Promise<T> {
  const open = await openFleet(options.config);
  const clusters = openClusters(open, createNetworkPolicy({ allow: open.fleet.network.allow }));
  const names = namesOf(options, open);
  try {
    return await work(await Promise.all(names.map((name) => clusters.cluster(name))), open);
  } finally {
    await clusters.close();
  }
}
