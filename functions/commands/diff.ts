import process from 'node:process';
import type { Command } from 'commander';
import { messageOf } from '../../lib/core/errors.ts';
import { describe } from '../../lib/core/object.ts';
import { createNetworkPolicy } from '../../lib/network.ts';
import { rootsOfFleet } from '../../lib/pipeline/local-roots.ts';
import type { PlannedKustomization } from '../../lib/pipeline/plan.ts';
import { planCluster } from '../../lib/pipeline/plan.ts';
import type { Kustomization } from '../../lib/toolkit/kustomization.ts';
import { withCheckout } from '../local-checkout.ts';
import { openClusters } from '../open-clusters.ts';
import type { GlobalOptions } from './global-options.ts';
import { colour, printable, printValue } from './print.ts';

interface DiffOptions extends GlobalOptions {
  path?: string;
  commit?: string;
  cluster?: string;
}

/** What the checkout would change in a cluster. */
interface ClusterDiff {
  cluster: string;
  error?: string;
  kustomizations: PlannedKustomization[];
}

/** `slipway diff`. */
export function addDiff(program: Command): void {
  program
    .command('diff [kustomization...]')
    .description(
      'show what a local checkout, or a commit of it, would change in the clusters; nothing is written',
    )
    .option(
      '--path <directory>',
      'root of the checkout; the repository around the current directory by default',
    )
    .option('--commit <commit>', 'a commit instead of the files on disk')
    .option('--cluster <name>', 'one cluster; all that are deployed from this repository by default')
    .addHelpText(
      'after',
      `
Every Kustomization is rendered from the root of each cluster down, with the variables and keys of that cluster, and
compared by a server-side dry-run. Values of Secrets are masked.
Exit code 0: no changes; 1: changes; 2: something failed, or would be refused.`,
    )
    .action(async (names: string[], _options, command: Command) => {
      try {
        const clusters = await diff(names, command.optsWithGlobals<DiffOptions>());
        process.exitCode = exitCodeOf(clusters);
      } catch (error) {
        process.stderr.write(`slipway: ${messageOf(error)}\n`);
        process.exitCode = 2;
      }
    });
}

async function diff(names: readonly string[], options: DiffOptions): Promise<ClusterDiff[]> {
  const { path, commit, config } = options;
  const clusters = await withCheckout({ path, commit, config, configGiven: true }, async (checkout) => {
    const { fleet, repository, files, engine } = checkout;
    if (!fleet) return [];
    const chosen = rootsOfFleet(fleet.fleet.clusters, repository.remotes).map(({ name }) => name);
    const all = options.cluster === undefined ? chosen : [options.cluster];
    const open = openClusters(fleet, createNetworkPolicy({ allow: fleet.fleet.network.allow }));
    const ctx = {
      engine,
      connect: (kubeconfig: string, name: string) => open.connect(kubeconfig, name),
      now: Date.now,
      signal: new AbortController().signal,
    };
    try {
      return await Promise.all(
        all.map(async (cluster): Promise<ClusterDiff> => {
          try {
            const connection = await open.cluster(cluster);
            return { cluster, kustomizations: await planCluster(ctx, connection, files, isWanted(names)) };
          } catch (error) {
            return { cluster, error: messageOf(error), kustomizations: [] };
          }
        }),
      );
    } finally {
      await open.close();
    }
  });
  if (
    names.length > 0 &&
    clusters.every(({ error, kustomizations }) => !error && kustomizations.length === 0)
  )
    throw new Error(`there is no Kustomization ${names.join(', ')} in the checkout`);
  if (options.output === 'table') for (const cluster of clusters) print(cluster);
  else printValue(clusters, options.output);
  return clusters;
}

function isWanted(names: readonly string[]): (object: Kustomization) => boolean {
  if (names.length === 0) return () => true;
  const wanted = new Set(names.map((name) => name.replace(/^(ks|kustomizations?)\//i, '')));
  return ({ metadata: { name, namespace } }) => wanted.has(name) || wanted.has(`${namespace}/${name}`);
}

function exitCodeOf(clusters: readonly ClusterDiff[]): number {
  const kustomizations = clusters.flatMap((cluster) => cluster.kustomizations);
  const entries = kustomizations.flatMap((one) => one.entries);
  const failed =
    clusters.some(({ error }) => error !== undefined) ||
    kustomizations.some(({ state }) => state === 'failed' || state === 'unresolved') ||
    entries.some(({ action }) => action === 'failed');
  if (failed) return 2;
  return entries.some(({ action }) => action !== 'unchanged' && action !== 'skipped') ? 1 : 0;
}

const WORDS = { created: 'create', configured: 'change', deleted: 'delete', failed: 'refused' } as const;
const KINDS = { created: 'good', configured: 'busy', deleted: 'bad', failed: 'bad' } as const;

function print({ cluster, error, kustomizations }: ClusterDiff): void {
  const line = (text: string) => process.stdout.write(`${text}\n`);
  line(`${cluster}${error === undefined ? '' : `: ${colour(error, 'bad')}`}`);
  let changes = 0;
  for (const { key, state, error: fault, notes, entries } of kustomizations) {
    const shown = entries.filter(({ action }) => action in WORDS);
    changes += shown.length;
    if (shown.length === 0 && notes.length === 0 && fault === undefined && state === 'rendered') continue;
    line(`  ${key}${STATES[state] === undefined ? '' : `: ${STATES[state]}`}`);
    if (fault !== undefined) line(`    ${colour(fault, 'bad')}`);
    for (const note of notes) line(`    ${colour(`note: ${note}`, 'faint')}`);
    for (const { ref, action, detail, diff: text } of shown) {
      const word = action as keyof typeof WORDS;
      const more = detail === undefined ? '' : `  ${printable(detail)}`;
      line(`    ${colour(WORDS[word], KINDS[word])} ${describe(ref)}${more}`);
      if (text !== undefined) for (const each of text.trimEnd().split('\n')) line(`      ${coloured(each)}`);
    }
  }
  if (error === undefined && changes === 0) line('  no changes');
}

const STATES: Partial<Record<PlannedKustomization['state'], string>> = {
  failed: 'failed',
  elsewhere: 'not from this repository, or from another ref of it; left out',
  unresolved: 'its source does not exist',
  removed: 'is gone from the checkout',
  suspended: 'suspended, so nothing would be done',
};

function coloured(line: string): string {
  if (line.startsWith('+')) return colour(line, 'good');
  if (line.startsWith('-')) return colour(line, 'bad');
  return line.startsWith('@@') ? colour(line, 'faint') : printable(line);
}
