import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import process from 'node:process';
import type { Command } from 'commander';
import { stringify } from 'yaml';
import { jsonSchemas } from '../../lib/fleet/json-schemas.ts';
import { customResourceDefinitions } from '../../lib/toolkit/crd.ts';
import type { GlobalOptions } from './global-options.ts';
import { printValue } from './print.ts';

/** `slipway crds`: the definitions that Slipway installs where they are missing. */
export function addCrds(program: Command): void {
  program
    .command('crds')
    .description(
      'print the CustomResourceDefinitions of the kinds that Slipway reconciles (kubectl apply --server-side -f -)',
    )
    .action((_options, command: Command) => {
      const { output } = command.optsWithGlobals<GlobalOptions>();
      const definitions = customResourceDefinitions();
      if (output === 'json') {
        printValue({ apiVersion: 'v1', kind: 'List', items: definitions }, 'json');
        return;
      }
      for (const definition of definitions)
        process.stdout.write(`---\n${stringify(definition, { lineWidth: 0, aliasDuplicateObjects: false })}`);
    });
}

/** `slipway schemas`: JSON Schemas of the fleet file and of the Toolkit kinds, for editors. */
export function addSchemas(program: Command): void {
  program
    .command('schemas')
    .description(
      'print the JSON Schemas of the fleet file and of the Toolkit kinds by file name, for editors',
    )
    .option('--directory <directory>', 'write each to a file of this directory instead')
    .action(async (_options, command: Command) => {
      const { output, directory } = command.optsWithGlobals<GlobalOptions & { directory?: string }>();
      const schemas = jsonSchemas();
      if (directory === undefined) {
        printValue(schemas, output === 'yaml' ? 'yaml' : 'json');
        return;
      }
      await mkdir(directory, { recursive: true });
      for (const [name, schema] of Object.entries(schemas)) {
        await writeFile(join(directory, name), `${JSON.stringify(schema, null, 2)}\n`);
        process.stdout.write(`${join(directory, name)}\n`);
      }
    });
}
