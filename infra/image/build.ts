/** Builds the container image: `npm run image -- --tag REPOSITORY:TAG [--push]`. */
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { parseArgs } from 'node:util';
import { messageOf } from '../../lib/core/errors.ts';
import { ExecError, run } from '../../lib/exec.ts';

const HELP = `npm run image -- [options]

Builds the container image of Slipway.

  --tag <name>        REPOSITORY:TAG, by default slipway:local
  --platform <name>   linux/amd64, linux/arm64, or both with a comma; by default linux/arm64. AWS Lambda takes an image of one
                      platform, and the functions of Slipway run on arm64
  --push              push it and print its digest, for aws.image of slipway.yaml
  --help              this text
`;

const ROOT = join(import.meta.dirname, '../..');
const TIMEOUT_MS = 3_600_000;

const { values } = parseArgs({
  options: {
    tag: { type: 'string', default: 'slipway:local' },
    platform: { type: 'string', default: 'linux/arm64' },
    push: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
});

try {
  process.stdout.write(values.help ? HELP : await build());
} catch (error) {
  process.stderr.write(`image: ${messageOf(error)}\n`);
  process.exitCode = 1;
}

async function build(): Promise<string> {
  const builder = await findBuilder();
  const directory = await mkdtemp(join(tmpdir(), 'slipway-image-'));
  const metadata = join(directory, 'metadata.json');
  try {
    const result = await run(
      builder,
      [
        ...['buildx', 'build', '--file', 'infra/Dockerfile', '--tag', values.tag],
        // Lambda takes no image with attestations beside it.
        ...['--platform', values.platform, '--provenance=false', '--sbom=false', '--metadata-file', metadata],
        ...(values.push ? ['--push'] : values.platform.includes(',') ? [] : ['--load']),
        '.',
      ],
      { cwd: ROOT, env: { HOME: process.env.HOME ?? '/' }, timeout: TIMEOUT_MS },
    );
    if (result.code !== 0) throw new Error(`${builder} could not build the image:\n${result.stderr}`);
    const text = await readFile(metadata, 'utf8').catch(() => '{}');
    const digest = (JSON.parse(text) as Record<string, unknown>)['containerimage.digest'];
    const [repository] = values.tag.split(/:[^:/]*$/);
    return values.push ? `${repository}@${String(digest)}\n` : `built ${values.tag}\n`;
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

/** The first of the usual builders that answers. @throws Error saying what is missing */
async function findBuilder(): Promise<string> {
  const seen: string[] = [];
  for (const name of ['docker', 'podman'])
    try {
      // Asks the daemon, without which the command alone is of no use.
      const { code, stderr } = await run(name, ['info'], {
        env: { HOME: process.env.HOME ?? '/' },
        timeout: 20_000,
      });
      if (code === 0) return name;
      seen.push(`${name} does not answer: ${stderr.split('\n').at(-1)}`);
    } catch (error) {
      if (!(error instanceof ExecError)) throw error;
      seen.push(error.message);
    }
  throw new Error(
    `an image is built with Docker (buildx) or Podman, and neither works here:\n  ${seen.join('\n  ')}\n` +
      'Install one and start it, or run this in CI, where they are at hand.',
  );
}
