import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import process from 'node:process';
import { parseArgs } from 'node:util';
import { messageOf } from '../../lib/core/errors.ts';
import { BUILD, packageStacks, ROOT } from './package-stacks.ts';

/** The fleet file that is packaged where there is none, to show what would be deployed. */
const EXAMPLE = join(ROOT, 'infra/aws/example.yaml');

const { values } = parseArgs({ options: { config: { type: 'string', short: 'c' } } });
const own = resolve(values.config ?? 'slipway.yaml');
const path = values.config === undefined && !existsSync(own) ? EXAMPLE : own;

try {
  if (path === EXAMPLE) process.stdout.write(`there is no ${own}; packaging the example ${EXAMPLE}\n`);
  const { bundles, core, clusters } = await packageStacks(path, (step) => process.stdout.write(`${step}\n`));
  process.stdout.write(`\n${'function'.padEnd(10)}${'at start'.padStart(10)}${'in all'.padStart(10)}\n`);
  for (const { name, startBytes, bytes } of bundles)
    process.stdout.write(`${name.padEnd(10)}${kilobytes(startBytes)}${kilobytes(bytes)}\n`);
  process.stdout.write(`\npackaged in ${BUILD}: ${[core, ...clusters].map(({ name }) => name).join(', ')}\n`);
} catch (error) {
  process.stderr.write(`package: ${messageOf(error)}\n`);
  process.exitCode = 1;
}

function kilobytes(bytes: number): string {
  return `${Math.ceil(bytes / 1_000)} KB`.padStart(10);
}
