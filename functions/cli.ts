#!/usr/bin/env node
import process from 'node:process';
import { Command, Option } from 'commander';
import { messageOf } from '../lib/core/errors.ts';
import manifest from '../package.json' with { type: 'json' };
import { addAdopt, addEject, addRelease } from './commands/adopt.ts';
import { addBuild } from './commands/build.ts';
import { addCluster } from './commands/cluster.ts';
import { addDeploy } from './commands/deploy.ts';
import { addDiff } from './commands/diff.ts';
import { addGet, addHistory } from './commands/get.ts';
import { addImages } from './commands/images.ts';
import { addInit } from './commands/init.ts';
import { addApprove, addDeadLetters, addResync } from './commands/operate.ts';
import { printable } from './commands/print.ts';
import { addReconcile, addSuspend } from './commands/reconcile.ts';
import { addCrds, addSchemas } from './commands/schemas.ts';
import { addServe } from './commands/serve.ts';
import { addTree } from './commands/tree.ts';
import { addValidate } from './commands/validate.ts';
import { addWorker } from './commands/worker.ts';

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
  )
  .showHelpAfterError('(see "slipway --help")');

for (const add of [
  addInit,
  addCluster,
  addValidate,
  addBuild,
  addDiff,
  addServe,
  addWorker,
  addDeploy,
  addGet,
  addHistory,
  addTree,
  addImages,
  addReconcile,
  addSuspend,
  addApprove,
  addResync,
  addAdopt,
  addRelease,
  addEject,
  addDeadLetters,
  addCrds,
  addSchemas,
]) {
  add(program);
}

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
