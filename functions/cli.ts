#!/usr/bin/env node
import process from 'node:process';
import { Command, Option } from 'commander';
import { messageOf } from '../lib/core/errors.ts';
import manifest from '../package.json' with { type: 'json' };
import { chosenCommand } from './chosen-command.ts';
import { printable } from './commands/print.ts';
import { commands } from './commands/registry.ts';

const program = new Command('slipway')
  .description(
    'GitOps without an agent: merge a pull request and it is deployed, with the result on the commit',
  )
  .version(manifest.version, '--version', 'print the version')
  .option('-c, --config <file>', 'the fleet file', process.env.SLIPWAY_CONFIG ?? 'slipway.yaml')
  .addOption(
    new Option('-o, --output <format>', 'how results are printed')
      .choices(['table', 'json', 'yaml'])
      .default('table'),
  );

const name = chosenCommand(process.argv.slice(2), program.options);
const chosen = commands.filter(({ names }) => name !== undefined && names.includes(name));
// All of them for the help, and to name the nearest one to what there is not.
for (const { load } of chosen.length > 0 ? chosen : commands) (await load())(program);
nameHelp(program, 'slipway');

// Whoever reads the output may have seen enough (`slipway crds | head`).
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') throw error;
  process.exit();
});

try {
  await program.parseAsync();
} catch (error) {
  process.stderr.write(`slipway: ${printable(messageOf(error))}\n`);
  process.exitCode = 1;
}

/** What is said of a mistake on the command line names the help of the very command. */
function nameHelp(command: Command, words: string): void {
  command.showHelpAfterError(`(see "${words} --help")`);
  for (const each of command.commands) nameHelp(each, `${words} ${each.name()}`);
}
