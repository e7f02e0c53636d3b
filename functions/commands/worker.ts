import process from 'node:process';
import type { Command } from 'commander';
import { parseDuration } from '../../lib/core/duration.ts';
import { type LogOptions, openLog, withLogOptions } from './log-options.ts';

interface WorkerOptions extends LogOptions {
  config: string;
  cluster: string;
  grace: string;
}

/** `slipway worker`: does the jobs of one cluster of an installation on AWS, from anywhere. */
export function addWorker(program: Command): void {
  withLogOptions(
    program
      .command('worker')
      .description(
        'do the jobs of one cluster of an installation on AWS, for example from within its private network; the installation is named by SLIPWAY_TABLE, SLIPWAY_BUCKET and SLIPWAY_QUEUES',
      )
      .requiredOption('--cluster <name>', 'the cluster; no queue but its own is read')
      .option('--grace <duration>', 'how long jobs under way may go on after SIGTERM', '25s'),
  ).action(async (_options, command: Command) => worker(command.optsWithGlobals<WorkerOptions>()));
}

async function worker(options: WorkerOptions): Promise<void> {
  const { cluster, config } = options;
  const graceMs = parseDuration(options.grace);
  if (graceMs === undefined) throw new Error(`--grace: ${options.grace} is no duration such as 25s`);
  const log = openLog(options);
  const drain = new AbortController();
  const stop = new AbortController();
  for (const name of ['SIGINT', 'SIGTERM'] as const) {
    process.on(name, () => {
      // A second signal does not wait any longer.
      if (drain.signal.aborted) return stop.abort(new Error(`stopped by ${name}`));
      log.info({ signal: name, graceMs }, 'draining: no more jobs are taken, those under way go on');
      drain.abort();
      setTimeout(() => stop.abort(new Error('the time to drain is over')), graceMs).unref();
    });
  }
  // Not loaded by the commands that have nothing to do with AWS.
  const { runWorker } = await import('../aws/run-worker.ts');
  await runWorker({ cluster, config, log, drain: drain.signal, stop: stop.signal });
}
