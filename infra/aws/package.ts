import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import process from 'node:process';
import { messageOf } from '../../lib/core/errors.ts';
import { scriptOptions } from '../script-options.ts';
import { BUILD, packageStacks, ROOT } from './package-stacks.ts';
import { replaceDirectory } from './replace-directory.ts';

/** The fleet file that is packaged where there is none, to show what would be deployed. */
const EXAMPLE = join(ROOT, 'infra/aws/example.yaml');

const HELP = `npm run package [-- options]

Bundles the functions and packages the stacks of a fleet file for AWS, without credentials and without a network. "slipway deploy" does so, too,
before it deploys.

  -c, --config <file>   the fleet file; by default slipway.yaml, or where there is none an example
  --help                this text
`;

const { values } = scriptOptions('package', HELP, {
  options: { config: { type: 'string', short: 'c' }, help: { type: 'boolean', default: false } },
});
const own = resolve(values.config ?? 'slipway.yaml');
const path = values.config === undefined && !existsSync(own) ? EXAMPLE : own;

/** Beside the place where it ends, so that it can be moved there. */
const directory = await mkdtemp(join(ROOT, '.build-'));

try {
  if (path === EXAMPLE) process.stdout.write(`there is no ${own}; packaging the example ${EXAMPLE}\n`);
  const { bundles, core, clusters } = await packageStacks(path, directory, (step) =>
    process.stdout.write(`${step}\n`),
  );
  await replaceDirectory(join(ROOT, BUILD), join(directory, BUILD), join(directory, 'before'));
  process.stdout.write(`\n${'function'.padEnd(10)}${'at start'.padStart(10)}${'in all'.padStart(10)}\n`);
  for (const { name, startBytes, bytes } of bundles)
    process.stdout.write(`${name.padEnd(10)}${kilobytes(startBytes)}${kilobytes(bytes)}\n`);
  process.stdout.write(
    `\npackaged in ${join(ROOT, BUILD)}: ${[core, ...clusters].map(({ name }) => name).join(', ')}\n`,
  );
} catch (error) {
  process.stderr.write(`package: ${messageOf(error)}\n`);
  process.exitCode = 1;
} finally {
  await rm(directory, { recursive: true, force: true });
}

function kilobytes(bytes: number): string {
  return `${Math.ceil(bytes / 1_000)} KB`.padStart(10);
}
