import { createRequire } from 'node:module';
import process from 'node:process';
import { run } from '../../lib/exec.ts';

/** What osls is asked to do. */
export interface OslsCall {
  /** The directory of the `serverless.yml`. */
  directory: string;
  args: readonly string[];
  /** Its whole environment, beside where home is and where Node keeps what it has compiled. */
  env?: Readonly<Record<string, string>>;
  /** In ms. */
  timeoutMs: number;
  signal?: AbortSignal;
}

/**
 * Runs osls, which turns a `serverless.yml` into CloudFormation.
 * @returns what it printed
 * @throws Error with the end of what it said, when it fails
 */
export async function osls({ directory, args, env = {}, timeoutMs, signal }: OslsCall): Promise<string> {
  const program = createRequire(import.meta.url).resolve('osls/bin/serverless.js');
  const { HOME = '/tmp', NODE_COMPILE_CACHE } = process.env;
  const result = await run(process.execPath, [program, ...args], {
    cwd: directory,
    env: {
      HOME,
      SLS_TELEMETRY_DISABLED: '1',
      NO_COLOR: '1',
      // It is started once for each stack, and to compile it is a good part of what it does.
      ...(NODE_COMPILE_CACHE === undefined ? {} : { NODE_COMPILE_CACHE }),
      ...env,
    },
    timeout: timeoutMs,
    ...(signal ? { signal } : {}),
  });
  const said = `${result.stderr}\n${Buffer.from(result.stdout).toString('utf8')}`.trim();
  if (result.code !== 0) throw new Error(`osls ${args[0]} in ${directory} failed:\n${lastLines(said, 30)}`);
  return said;
}

function lastLines(text: string, count: number): string {
  return text.split('\n').slice(-count).join('\n');
}
