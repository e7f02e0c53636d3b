import { readFile } from 'node:fs/promises';
import process from 'node:process';
import type { Command } from 'commander';
import { parseAllDocuments, stringify } from 'yaml';
import type { KubernetesObject } from '../../lib/core/object.ts';
import { buildLocal } from '../../lib/pipeline/build-local.ts';
import { rootsOfFleet } from '../../lib/pipeline/local-roots.ts';
import { localTree } from '../../lib/source/local-tree.ts';
import { withCheckout } from '../local-checkout.ts';
import type { GlobalOptions } from './global-options.ts';
import { printValue } from './print.ts';

interface BuildOptions extends GlobalOptions {
  path?: string;
  commit?: string;
  cluster?: string;
  kustomizationFile?: string;
}

/** `slipway build`. */
export function addBuild(program: Command): void {
  program
    .command('build <kustomization>')
    .description(
      'print what a Kustomization (or a directory) of a local checkout renders to, as it would be applied',
    )
    .option(
      '--path <directory>',
      'root of the checkout; the repository around the current directory by default',
    )
    .option('--commit <commit>', 'render a commit instead of the files on disk')
    .option('--cluster <name>', 'the cluster whose Kustomization is meant')
    .option('--kustomization-file <file>', 'take the Kustomization from this file')
    .addHelpText(
      'after',
      `
No cluster is needed. Encrypted values are masked. ConfigMaps with variables are taken from the repository; variables that
only a cluster knows stay as they are.

  slipway build apps                      a Kustomization of the name
  slipway build ./apps/podinfo            a directory
  slipway build apps --cluster staging -o json`,
    )
    .action(async (name: string, _options, command: Command) => {
      const options = command.optsWithGlobals<BuildOptions>();
      const configGiven = command.getOptionValueSourceWithGlobals('config') !== 'default';
      const { path, commit, config, cluster, kustomizationFile } = options;
      const definition =
        kustomizationFile === undefined ? undefined : await readDefinition(kustomizationFile, name);
      const built = await withCheckout({ path, commit, config, configGiven }, async (checkout) => {
        const { fleet, repository, files, engine } = checkout;
        const roots = fleet && rootsOfFleet(fleet.fleet.clusters, repository.remotes);
        return buildLocal(engine, localTree(files), roots?.length ? roots : undefined, {
          name,
          cluster,
          ...(definition ? { definition } : {}),
        });
      });
      for (const note of built.notes) process.stderr.write(`# ${built.key}: ${note}\n`);
      if (options.output === 'json') printValue(built.objects, 'json');
      else for (const object of built.objects) process.stdout.write(`---\n${asYaml(object)}`);
    });
}

function asYaml(object: KubernetesObject): string {
  return stringify(JSON.parse(JSON.stringify(object)), { lineWidth: 0, aliasDuplicateObjects: false });
}

async function readDefinition(file: string, name: string): Promise<KubernetesObject> {
  const documents = parseAllDocuments(await readFile(file, 'utf8'));
  const objects = (Array.isArray(documents) ? documents : []).map((one) => {
    const [error] = one.errors;
    if (error) throw new Error(`${file}: ${error.message}`);
    return one.toJS() as KubernetesObject | null;
  });
  const found = objects.filter(
    (object) =>
      object?.kind === 'Kustomization' && object.apiVersion?.startsWith('kustomize.toolkit.fluxcd.io/'),
  );
  const named = found.find((object) => object?.metadata?.name === name.split('/').at(-1));
  const chosen = named ?? (found.length === 1 ? found[0] : undefined);
  if (chosen) return chosen;
  throw new Error(`${file} holds no Kustomization ${name} of kustomize.toolkit.fluxcd.io`);
}
