import process from 'node:process';
import type { Command } from 'commander';
import { createAdmin } from '../../lib/pipeline/admin.ts';
import { socketPath } from '../admin/client.ts';
import { createAdminApp } from '../admin/server.ts';
import { checkSecrets } from '../check-secrets.ts';
import { listen, listenOnSocket } from '../listen.ts';
import { runLocal } from '../local.ts';
import { openContext } from '../open-context.ts';
import { openFleet } from '../open-fleet.ts';
import { createApp } from '../web.ts';
import { type LogOptions, openLog, withLogOptions } from './log-options.ts';

interface ServeOptions extends LogOptions {
  config: string;
}

/** `slipway serve`: everything in one process. */
export function addServe(program: Command): void {
  withLogOptions(
    program
      .command('serve')
      .description('run everything in one process: webhooks, workers, sweeps, commit statuses'),
  ).action(async (_options, command: Command) => serve(command.optsWithGlobals<ServeOptions>()));
}

async function serve(options: ServeOptions): Promise<void> {
  const log = openLog(options);
  const stop = new AbortController();
  for (const name of ['SIGINT', 'SIGTERM'] as const) {
    process.once(name, () => {
      log.info({ signal: name }, 'stopping: jobs under way are given back');
      stop.abort(new Error(`stopped by ${name}`));
    });
  }
  const open = await openFleet(options.config);
  const local = await openContext(open, log, stop.signal);
  try {
    const admin = await listenOnSocket(createAdminApp(createAdmin(local.ctx)), socketPath(open));
    const server = await listen(createApp(local.ctx, open), open.fleet.server.listen);
    log.info(
      { url: server.url, clusters: open.fleet.clusters.map(({ name }) => name) },
      'slipway is serving',
    );
    await checkSecrets(open, log, (cluster) => local.ctx.cluster(cluster));
    await runLocal(local.ctx);
    await Promise.all([server.close(), admin.close()]);
  } finally {
    await local.close();
  }
}
