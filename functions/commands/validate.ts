import process from 'node:process';
import type { Command } from 'commander';
import { rootsOfFleet } from '../../lib/pipeline/local-roots.ts';
import type { Finding, Validated } from '../../lib/pipeline/validate-repository.ts';
import { validateRepository } from '../../lib/pipeline/validate-repository.ts';
import { localTree } from '../../lib/source/local-tree.ts';
import { withCheckout } from '../local-checkout.ts';
import type { GlobalOptions } from './global-options.ts';
import { colour, printable, printValue } from './print.ts';

/** `slipway validate [directory]`. */
export function addValidate(program: Command): void {
  program
    .command('validate [directory]')
    .description('check the fleet file and a whole repository, without any cluster; for use in CI')
    .addHelpText(
      'after',
      `
Checks that every YAML file can be read, every object of the GitOps Toolkit is valid, every Kustomization builds, and
what they refer to exists. The fleet file (--config) says where each cluster begins; without one it is guessed.
Variables and keys that only a cluster knows are left out of account. Exit code 1: there are errors.`,
    )
    .action(async (directory: string | undefined, _options, command: Command) => {
      const options = command.optsWithGlobals<GlobalOptions>();
      const configGiven = command.getOptionValueSourceWithGlobals('config') !== 'default';
      const validated = await withCheckout(
        { path: directory, config: options.config, configGiven },
        async ({ fleet, repository, files, engine }) => {
          const roots = fleet && rootsOfFleet(fleet.fleet.clusters, repository.remotes);
          return validateRepository(engine, localTree(files), roots?.length ? roots : undefined);
        },
      );
      if (options.output === 'table') printFindings(validated);
      else printValue(validated, options.output);
      if (validated.findings.some(({ severity }) => severity === 'error')) process.exitCode = 1;
    });
}

function printFindings({ findings, files, clusters }: Validated): void {
  for (const finding of findings) {
    const word = finding.severity === 'error' ? colour('error', 'bad') : colour('warning', 'busy');
    process.stdout.write(`${placeOf(finding)}${word}: ${printable(finding.message)}\n`);
  }
  for (const { name, kustomizations, rendered } of clusters)
    process.stdout.write(`${name}: ${rendered} of ${kustomizations} Kustomizations built\n`);
  if (clusters.length === 0)
    process.stdout.write('no Kustomization of the Toolkit in the repository: nothing was built\n');
  const count = (severity: Finding['severity']) => findings.filter((one) => one.severity === severity).length;
  process.stdout.write(`${files} files: ${count('error')} errors, ${count('warning')} warnings\n`);
}

function placeOf({ file, line, cluster }: Finding): string {
  if (file !== undefined) return `${file}:${line ?? 1}: `;
  return cluster === undefined ? '' : `${cluster}: `;
}
