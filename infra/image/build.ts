/** Builds the container image: `npm run image -- --tag REPOSITORY:TAG [--push]`. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { messageOf } from '../../lib/core/errors.ts';
import { scriptOptions } from '../script-options.ts';
import { type Builder, builders } from './builders.ts';

const HELP = `npm run image -- [options]

Builds the container image of Slipway with Docker (buildx) or Podman, whichever works here.

  --tag <name>        REPOSITORY:TAG, by default slipway:local
  --platform <name>   linux/amd64, linux/arm64, or both with a comma; by default that of this machine. The functions on AWS run on
                      linux/arm64, and take an image of that one platform
  --push              push it and print its digest, for aws.image of slipway.yaml
  --help              this text
`;

const ROOT = join(import.meta.dirname, '../..');

/** How long a builder may take to say whether it works, in ms. */
const PROBE_MS = 20_000;

const { values } = scriptOptions('image', HELP, {
  options: {
    tag: { type: 'string', default: 'slipway:local' },
    platform: { type: 'string', default: `linux/${process.arch === 'x64' ? 'amd64' : process.arch}` },
    push: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
});

try {
  process.stdout.write(build(values));
} catch (error) {
  process.stderr.write(`image: ${messageOf(error)}\n`);
  process.exitCode = 1;
}

function build({ tag, platform, push }: { tag: string; platform: string; push: boolean }): string {
  const builder = findBuilder();
  const directory = mkdtempSync(join(tmpdir(), 'slipway-image-'));
  const report = join(directory, 'report');
  try {
    for (const { args, mayFail = false } of builder.steps({ tag, platform, push, report })) {
      // What it says goes to where progress goes, and its environment is ours: it may name a daemon, a store or a proxy.
      const { status, error } = spawnSync(builder.name, args, {
        cwd: ROOT,
        stdio: ['ignore', mayFail ? 'ignore' : 2, mayFail ? 'ignore' : 2],
      });
      if (status !== 0 && !mayFail)
        throw new Error(`${builder.name} ${args[0]} failed; see above${error ? `: ${error.message}` : ''}`);
    }
    const [repository] = tag.split(/:[^:/]*$/);
    return push ? `${repository}@${builder.digest(readFileSync(report, 'utf8'))}\n` : `built ${tag}\n`;
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

/** The first of the builders that works. @throws Error saying what is missing */
function findBuilder(): Builder {
  const faults: string[] = [];
  for (const builder of builders) {
    const fault = faultOf(builder);
    if (fault === undefined) return builder;
    faults.push(fault);
  }
  throw new Error(
    `an image is built with Docker (buildx) or Podman, and neither works here:\n  ${faults.join('\n  ')}\n` +
      'Install one and start it, or run this in CI, where they are at hand.',
  );
}

function faultOf({ name, probes }: Builder): string | undefined {
  for (const args of probes) {
    const { status, stderr, error } = spawnSync(name, args, { timeout: PROBE_MS, encoding: 'utf8' });
    if (error && 'code' in error && error.code === 'ENOENT') return `${name}: not found on this machine`;
    if (status === 0) continue;
    const said = error?.message ?? stderr.trim().split('\n')[0];
    return `${name} ${args.join(' ')} failed: ${said}`;
  }
  return undefined;
}
