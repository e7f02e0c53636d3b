import process from 'node:process';
import type { Command } from 'commander';
import { messageOf } from '../../lib/core/errors.ts';
import { cloudWayOf } from '../../lib/fleet/cloud-cluster.ts';
import type { FleetCluster } from '../../lib/fleet/cluster.ts';
import { createNetworkPolicy } from '../../lib/network.ts';
import type { ClusterCheck } from '../../lib/pipeline/check-cluster.ts';
import { checkCluster } from '../../lib/pipeline/check-cluster.ts';
import { openClusters } from '../open-clusters.ts';
import { openFleet } from '../open-fleet.ts';
import { addClusterAdd } from './cluster-add.ts';
import type { GlobalOptions } from './global-options.ts';
import { colour, printable, printRows, printValue } from './print.ts';

/** `slipway cluster add|check|list`. */
export function addCluster(program: Command): void {
  const group = program.command('cluster').description('the clusters of the fleet file');
  addClusterAdd(group);
  group
    .command('check [name...]')
    .description('reach each cluster and look whether Slipway can work there; exit code 1 when it cannot')
    .action(async (names: string[], _options, command: Command) => {
      const options = command.optsWithGlobals<GlobalOptions>();
      const checks = await checkAll(options.config, names);
      if (options.output === 'table') for (const check of checks) print(check);
      else printValue(checks, options.output);
      if (checks.some(({ problems }) => problems.length > 0)) process.exitCode = 1;
    });
  group
    .command('list', { isDefault: true })
    .description('show the clusters of the fleet file, without reaching them')
    .action(async (_options, command: Command) => {
      const options = command.optsWithGlobals<GlobalOptions>();
      const { fleet } = await openFleet(options.config);
      const columns = [
        { heading: 'name', value: ({ name }: FleetCluster) => name },
        { heading: 'repository', value: ({ source }: FleetCluster) => source.url },
        { heading: 'ref', value: ({ source }: FleetCluster) => refOfSource(source) },
        { heading: 'path', value: ({ source }: FleetCluster) => source.path },
        { heading: 'credential', value: credentialOf },
      ];
      printRows(fleet.clusters, columns, options.output, `there are no clusters in ${fleet.path}`);
    });
}

function credentialOf(cluster: FleetCluster): string {
  const way = cloudWayOf(cluster);
  return cluster.kubeconfig ?? (way === undefined ? '' : `${way.toUpperCase()} ${cluster[way]?.name}`);
}

async function checkAll(config: string, names: readonly string[]): Promise<ClusterCheck[]> {
  const open = await openFleet(config);
  const clusters = openClusters(open, createNetworkPolicy({ allow: open.fleet.network.allow }));
  const chosen = names.length > 0 ? names : open.fleet.clusters.map(({ name }) => name);
  try {
    return await Promise.all(
      chosen.map(async (name) => {
        try {
          return await checkCluster({ now: Date.now }, await clusters.cluster(name));
        } catch (error) {
          return { cluster: name, facts: [], problems: [messageOf(error)] };
        }
      }),
    );
  } finally {
    await clusters.close();
  }
}

function print({ cluster, version, user, facts, problems }: ClusterCheck): void {
  const line = (text: string) => process.stdout.write(`${text}\n`);
  const state = problems.length > 0 ? colour('problems', 'bad') : colour('fine', 'good');
  line(
    `${cluster}: ${state}${version === undefined ? '' : `, Kubernetes ${version}`}${user === undefined ? '' : `, as ${user}`}`,
  );
  for (const problem of problems) line(`  ${colour('✗', 'bad')} ${printable(problem)}`);
  for (const fact of facts) line(`  ${colour('•', 'faint')} ${printable(fact)}`);
}

function refOfSource(source: {
  branch?: string;
  tag?: string;
  semver?: string;
  name?: string;
  commit?: string;
}): string {
  const { branch, tag, semver, name, commit } = source;
  return commit ?? tag ?? semver ?? name ?? branch ?? 'main';
}
