/**
 * Starts the bench as bin/slipway starts Slipway: with the same options of Node, and with sources that are compiled already, since what
 * compiles them would stay in the memory of the process that is measured.
 */
import { type StdioOptions, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import process from 'node:process';
import { cacheDirectory } from '../../infra/testservers/location.ts';
import { nodeOptionsOf } from '../support/node-options.ts';

const env = { NODE_COMPILE_CACHE: join(cacheDirectory(), 'compiled'), ...process.env };
const command = readFileSync(join(import.meta.dirname, '../../bin/slipway'), 'utf8');
const options = nodeOptionsOf(command);

async function bench(args: readonly string[], stdio: StdioOptions): Promise<number> {
  const child = spawn(process.execPath, [...options, join(import.meta.dirname, 'bench.ts'), ...args], {
    env,
    stdio,
  });
  const [code] = (await once(child, 'exit')) as [number | null];
  return code ?? 1;
}

// A Ctrl-C reaches the bench itself, which ends its servers.
process.on('SIGINT', () => {});
const args = process.argv.slice(2);
if (!args.includes('--help'))
  await bench(['--scale', '0.002', 'first-apply'], ['ignore', 'ignore', 'inherit']);
process.exitCode = await bench(args, 'inherit');
