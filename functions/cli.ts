#!/usr/bin/env node
import process from 'node:process';
import { Command } from 'commander';
import { messageOf } from '../lib/core/errors.ts';
import { addServe } from './commands/serve.ts';

const program = new Command('slipway')
  .description(
    'GitOps without an agent: merge a pull request and it is deployed, with the result on the commit',
  )
  .option('-c, --config <file>', 'the fleet file', process.env.SLIPWAY_CONFIG ?? 'slipway.yaml')
  .showHelpAfterError('(see "slipway --help")');

addServe(program);

try {
  await program.parseAsync();
} catch (error) {
  process.stderr.write(`slipway: ${messageOf(error)}\n`);
  process.exitCode = 1;
}
