/**
 * Slipway as `slipway serve` runs it, inside this process: the real engine, store, queues and HTTP edge over a folder of its own.
 *
 *     const slipway = await startSlipway({ directory, clusters: { staging: { kubeconfig } }, repository: repo.url, gitea });
 *     await repo.createWebhook(`${slipway.url}/webhooks/gitea`, WEBHOOK_SECRET);
 *     await slipway.stop();
 *
 * Slipway uses one fixed namespace of a cluster (`flux-system`), so no two of them may share a control plane.
 */
import { randomBytes } from 'node:crypto';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import process from 'node:process';
import { socketPath } from '../../functions/admin/client.ts';
import { createAdminApp } from '../../functions/admin/server.ts';
import { type Listening, listen, listenOnSocket } from '../../functions/listen.ts';
import { runLocal } from '../../functions/local.ts';
import { type LocalContext, openContext } from '../../functions/open-context.ts';
import { type OpenFleet, openFleet } from '../../functions/open-fleet.ts';
import { createApp } from '../../functions/web.ts';
import { createLog } from '../../lib/log.ts';
import { createAdmin } from '../../lib/pipeline/admin.ts';
import type { Context } from '../../lib/pipeline/context.ts';
import type { GiteaConnection } from './gitea-client.ts';
import { freePort } from './ports.ts';

/** The secret that {@link startSlipway} accepts webhooks with. */
export const WEBHOOK_SECRET = 'the-secret-of-the-webhook';

/** What a cluster of the fleet file is made of. */
export interface ClusterOptions {
  /** Text of the kubeconfig. */
  kubeconfig: string;
  /** Path in the fleet repository. Default: `clusters/<name>`. */
  path?: string;
  /** More fields of its entry in `slipway.yaml`, such as `noCrossNamespaceRefs`. */
  more?: Record<string, unknown>;
  /** More fields of its `source`, such as `interval`. */
  source?: Record<string, unknown>;
}

/** What {@link writeFleet} and {@link startSlipway} are given. */
export interface SlipwayOptions {
  /** For the fleet file, credentials and storage; made when absent. */
  directory: string;
  clusters: Record<string, ClusterOptions>;
  /** Clone URL of the fleet repository. */
  repository: string;
  /** The Git provider; without it there are no webhooks and no statuses. */
  gitea?: Pick<GiteaConnection, 'url' | 'admin'>;
  /** Default: 5 s, the shortest that is allowed. */
  sweepInterval?: string;
  /** More of `slipway.yaml`. */
  more?: Record<string, unknown>;
  /** Changes the context before anything runs with it, such as to count or to break its calls. */
  wrap?(ctx: Context): Context;
}

/** A Slipway that serves. */
export interface Slipway {
  url: string;
  ctx: Context;
  open: OpenFleet;
  /** Everything it has logged, one JSON object a line. */
  log: string[];
  /** All that it has stored, in files: its directory, or what stands in the table and the bucket, beside the directories of the functions. @returns their directory */
  stored(): Promise<string>;
  /** Stops it as SIGTERM does, and waits until it has ended. */
  stop(): Promise<void>;
}

/** Writes a fleet file with its credentials. @returns its path */
export async function writeFleet(options: SlipwayOptions, port: number): Promise<string> {
  const { directory, gitea } = options;
  await mkdir(directory, { recursive: true, mode: 0o700 });
  const write = (name: string, text: string) => writeFile(join(directory, name), text, { mode: 0o600 });
  await write('webhook-secret', WEBHOOK_SECRET);
  if (gitea) await write('token', gitea.admin.token);
  const clusters = await Promise.all(
    Object.entries(options.clusters).map(async ([name, { kubeconfig, path, more, source }]) => {
      await write(`${name}.kubeconfig`, kubeconfig);
      return {
        name,
        kubeconfig: `file:${name}.kubeconfig`,
        source: { url: options.repository, branch: 'main', path: path ?? `clusters/${name}`, ...source },
        ...more,
      };
    }),
  );
  const provider = gitea && {
    name: 'gitea',
    type: 'gitea',
    url: gitea.url,
    token: 'file:token',
    webhookSecrets: ['file:webhook-secret'],
  };
  const fleet = {
    clusters,
    providers: provider ? [provider] : [],
    network: { allow: ['127.0.0.1'] },
    server: { listen: `127.0.0.1:${port}`, url: `http://127.0.0.1:${port}` },
    storage: { directory: './data' },
    sweep: { interval: options.sweepInterval ?? '5s' },
    ...options.more,
  };
  const path = join(directory, 'slipway.yaml');
  await writeFile(path, JSON.stringify(fleet, null, 2));
  return path;
}

/** Functions share no disk on which the key for tokens of Receivers could be made, so that the fleet file must name one. */
async function withKey(options: SlipwayOptions): Promise<SlipwayOptions> {
  await mkdir(options.directory, { recursive: true, mode: 0o700 });
  const key = randomBytes(32).toString('base64');
  await writeFile(join(options.directory, 'key'), key, { mode: 0o600 });
  const storage = { directory: './data', key: 'file:key' };
  return { ...options, more: { storage, ...options.more } };
}

/** Opens a context on a fleet file, without running anything. */
export async function openSlipway(
  path: string,
  signal: AbortSignal,
  log: string[],
): Promise<{ open: OpenFleet; local: LocalContext }> {
  const open = await openFleet(path);
  const write = (line: string) => void log.push(line);
  const logger = createLog({ level: 'debug', format: 'json', write, now: Date.now });
  return { open, local: await openContext(open, logger, signal) };
}

/**
 * Starts everything that `slipway serve` starts, and waits until it listens. With `SLIPWAY_BACKEND=aws` it is the functions of AWS that
 * run, over servers that speak SQS, S3 and DynamoDB, so that whatever a test promises holds for both.
 */
export async function startSlipway(options: SlipwayOptions): Promise<Slipway> {
  return process.env.SLIPWAY_BACKEND === 'aws' ? startOnAws(options) : startHere(options);
}

async function startOnAws(options: SlipwayOptions): Promise<Slipway> {
  // Not loaded where it is not asked for.
  const { startAwsLocal } = await import('../aws-local/aws-local.ts');
  const { writeStored } = await import('../aws-local/stored.ts');
  const name = `slipway-${randomBytes(4).toString('hex')}`;
  const directory = join(options.directory, 'aws');
  const port = await freePort();
  const fleet = await writeFleet(await withKey(options), port);
  const log: string[] = [];
  const write = (line: string) => void log.push(line);
  const aws = await startAwsLocal({
    name,
    fleet,
    clusters: Object.keys(options.clusters),
    directory,
    port,
    tickMs: 5_000,
    log: createLog({ level: 'debug', format: 'json', write, now: Date.now }),
    ...(options.wrap ? { wrap: options.wrap } : {}),
  });
  return {
    url: aws.url,
    ctx: aws.worker.ctx,
    open: aws.worker.core.open,
    log,
    async stored() {
      await writeStored(name, join(directory, 'stored'));
      return directory;
    },
    stop: aws.stop,
  };
}

async function startHere(options: SlipwayOptions): Promise<Slipway> {
  const port = await freePort();
  const stop = new AbortController();
  const log: string[] = [];
  const { open, local } = await openSlipway(await writeFleet(options, port), stop.signal, log);
  let listening: Listening | undefined;
  try {
    const ctx = options.wrap?.(local.ctx) ?? local.ctx;
    listening = await listen(createApp(ctx, open), open.fleet.server.listen);
    const server = listening;
    const admin = await listenOnSocket(createAdminApp(createAdmin(ctx)), socketPath(open));
    const running = runLocal(ctx);
    // Told by `stop`, or by the next call of anything that fails; never as an unhandled rejection.
    running.catch(() => {});
    return {
      url: server.url,
      ctx,
      open,
      log,
      stored: async () => open.fleet.storage.directory,
      async stop() {
        stop.abort(new Error('stopped by the test'));
        await Promise.allSettled([running, server.close(), admin.close()]);
        await local.close();
        await running;
      },
    };
  } catch (error) {
    await Promise.allSettled([listening?.close(), local.close()]);
    throw error;
  }
}
