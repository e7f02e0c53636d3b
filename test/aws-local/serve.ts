/**
 * `npm run serve:aws-local`: Slipway's functions for AWS on this machine, for a fleet file (`SLIPWAY_CONFIG`, by default `slipway.yaml`). Everything
 * is kept in memory, and gone when it ends.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import process from 'node:process';
import { openFleet } from '../../functions/open-fleet.ts';
import { messageOf } from '../../lib/core/errors.ts';
import { createLog } from '../../lib/log.ts';
import { startAwsLocal } from './aws-local.ts';

const LONGEST_TICK_MS = 60_000;

async function serve(): Promise<void> {
  const fleetFile = resolve(process.argv[2] ?? process.env.SLIPWAY_CONFIG ?? 'slipway.yaml');
  const { fleet } = await openFleet(fleetFile);
  const directory = await mkdtemp(join(tmpdir(), 'slipway-aws-'));
  const log = createLog({
    level: 'info',
    format: process.stderr.isTTY ? 'text' : 'json',
    write: (line) => process.stderr.write(line),
    now: Date.now,
  });
  const ended = new Promise<void>((end) => {
    for (const name of ['SIGINT', 'SIGTERM'] as const) process.once(name, () => end());
  });
  const aws = await startAwsLocal({
    name: 'slipway-local',
    fleet: fleetFile,
    clusters: fleet.clusters.map(({ name }) => name),
    directory,
    port: fleet.server.listen.port,
    tickMs: Math.min(fleet.sweep.interval, LONGEST_TICK_MS),
    log,
  });
  log.info(
    { url: aws.url, ...aws.variables },
    'the functions are served; a worker elsewhere takes these variables',
  );
  await ended;
  log.info('stopping');
  await aws.stop();
  await rm(directory, { recursive: true, force: true });
}

try {
  await serve();
  // The servers that stand in for AWS keep the process alive.
  process.exit(0);
} catch (error) {
  process.stderr.write(`serve:aws-local: ${messageOf(error)}\n`);
  process.exit(1);
}
