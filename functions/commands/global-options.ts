import type { Command } from 'commander';
import { createNetworkPolicy } from '../../lib/network.ts';
import type { ClusterConnection } from '../../lib/pipeline/context.ts';
import { openClusters } from '../open-clusters.ts';
import type { OpenFleet } from '../open-fleet.ts';
import { openFleet } from '../open-fleet.ts';
import type { Output } from './print.ts';

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
  const names =
    options.cluster === undefined ? open.fleet.clusters.map(({ name }) => name) : [options.cluster];
  try {
    return await work(await Promise.all(names.map((name) => clusters.cluster(name))), open);
  } finally {
    await clusters.close();
  }
}
