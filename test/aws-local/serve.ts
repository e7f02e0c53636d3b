/** `npm run serve:aws-local`: Slipway's functions for AWS on this machine, for a fleet file. Everything is kept in memory, and gone when it ends. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import process from 'node:process';
import { Command } from 'commander';
import { checkSecrets } from '../../functions/check-secrets.ts';
import { type LogOptions, openLog, withLogOptions } from '../../functions/commands/log-options.ts';
import { openFleet } from '../../functions/open-fleet.ts';
import { messageOf } from '../../lib/core/errors.ts';
import type { Fleet } from '../../lib/fleet/fleet.ts';
import { TICK_MS } from '../../lib/pipeline/tick.ts';
import { type AwsLocal, startAwsLocal } from './aws-local.ts';

interface ServeOptions extends LogOptions {
  config: string;
  port?: string;
  elsewhere?: string[];
}

const program = withLogOptions(
  new Command('npm run serve:aws-local --')
    .description(
      "run Slipway's functions for AWS on this machine, over servers in memory that speak SQS, DynamoDB and S3; no account and no credentials are needed",
    )
    .option('-c, --config <file>', 'the fleet file', process.env.SLIPWAY_CONFIG ?? 'slipway.yaml')
    .option('--port <port>', 'where webhooks are taken, on 127.0.0.1; by default that of server.listen')
    .option(
      '--elsewhere <cluster...>',
      'clusters whose jobs "slipway worker" does; by default those with aws.worker in the fleet file',
    ),
)
  .allowExcessArguments(false)
  .showHelpAfterError('(see --help)');

async function serve(options: ServeOptions): Promise<void> {
  const open = await openFleet(options.config);
  const { fleet } = open;
  const clusters = fleet.clusters.map(({ name }) => name);
  const elsewhere =
    options.elsewhere ?? fleet.clusters.filter(({ aws }) => aws?.worker).map(({ name }) => name);
  const unknown = elsewhere.filter((name) => !clusters.includes(name));
  if (unknown.length > 0)
    throw new Error(
      `there is no cluster ${unknown.join(', ')} in ${fleet.path}; it has: ${clusters.join(', ') || 'none'}`,
    );
  const log = openLog(options);
  const directory = await mkdtemp(join(tmpdir(), 'slipway-aws-'));
  const ended = new Promise<string>((end) => {
    for (const name of ['SIGINT', 'SIGTERM'] as const) process.once(name, () => end(name));
  });
  try {
    const aws = await startAwsLocal({
      name: 'slipway-local',
      fleet: resolve(options.config),
      clusters,
      elsewhere,
      directory,
      port: portOf(options, fleet),
      tickMs: Math.min(fleet.sweep.interval, TICK_MS),
      log,
    });
    process.stdout.write(introduction(aws, fleet, elsewhere));
    await checkSecrets(open, log);
    log.info({ signal: await ended }, 'stopping when the jobs under way have ended; again ends it at once');
    await aws.stop();
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

function portOf({ port }: ServeOptions, { server }: Fleet): number {
  if (port === undefined) return server.listen.port;
  const number = Number(port);
  if (!Number.isInteger(number) || number < 0 || number > 65_535)
    throw new Error(`--port is ${JSON.stringify(port)}; it must be 0 (any free one) to 65535`);
  return number;
}

/** What a person wants to know: where webhooks go, and how commands in another shell find this installation. */
function introduction(
  { url, variables }: AwsLocal,
  { clusters, path, providers }: Fleet,
  elsewhere: readonly string[],
): string {
  const types = [...new Set(providers.map(({ type }) => type))];
  const { SLIPWAY_FLEET: _, ...named } = variables;
  const { AWS_REGION = '', AWS_ENDPOINT_URL_SQS = '', AWS_ENDPOINT_URL_DYNAMODB = '' } = process.env;
  const exported = {
    ...named,
    AWS_REGION,
    AWS_ACCESS_KEY_ID: 'test',
    AWS_SECRET_ACCESS_KEY: 'test',
    AWS_ENDPOINT_URL_SQS,
    AWS_ENDPOINT_URL_S3: AWS_ENDPOINT_URL_SQS,
    AWS_ENDPOINT_URL_DYNAMODB,
    SLIPWAY_CONFIG: path,
  };
  const lines = Object.entries(exported).map(([name, value]) => `  export ${name}='${value}'`);
  const names = clusters.map(({ name }) => (elsewhere.includes(name) ? `${name} (worker elsewhere)` : name));
  return `Slipway's functions for AWS run for ${path}: ${names.join(', ') || 'no clusters'}
Webhooks: ${types.map((type) => `${url}/webhooks/${type}`).join(', ') || `${url}/webhooks/<type>, once a provider is in the fleet file`}

In another shell, "slipway get runs", "slipway dead-letters" and "slipway worker" find this installation by:
${lines.join('\n')}

Everything is in memory. Ctrl-C ends it.
`;
}

try {
  program.parse();
  await serve(program.opts<ServeOptions>());
  // The servers that stand in for AWS keep the process alive.
  process.exit(0);
} catch (error) {
  const { code, port } = error as NodeJS.ErrnoException & { port?: number };
  const advice =
    code === 'EADDRINUSE' ? `port ${port} is taken; name another one with --port` : messageOf(error);
  process.stderr.write(`serve:aws-local: ${advice}\n`);
  process.exit(1);
}
