import { randomBytes } from 'node:crypto';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { directoryBlobs } from '../lib/blobs/directory.ts';
import { sortableId } from '../lib/core/sortable-id.ts';
import type { Log } from '../lib/log.ts';
import type { Context } from '../lib/pipeline/context.ts';
import { createSeal } from '../lib/secrets/seal.ts';
import { openSqlite } from '../lib/store/sqlite.ts';
import { createTelemetry } from '../lib/telemetry.ts';
import type { OpenFleet } from './open-fleet.ts';
import { openIndex } from './open-index.ts';
import { openKey } from './open-key.ts';
import { openWorker } from './open-worker.ts';

/** A context on this machine: SQLite, a folder, the engine as child processes. */
export interface LocalContext {
  ctx: Context;
  close(): Promise<void>;
}

/**
 * Opens everything that the pipeline needs, for one process on one machine.
 * @throws Error when another process uses the storage directory
 */
export async function openContext(open: OpenFleet, log: Log, signal: AbortSignal): Promise<LocalContext> {
  const { fleet } = open;
  const { directory } = fleet.storage;
  const sqlite = await openSqlite({ directory, now: Date.now });
  const { close, ...worker } = await openWorker(open, directory).catch(async (error: unknown) => {
    await sqlite.close();
    throw error;
  });
  const names = fleet.clusters.map(({ name }) => name);
  const index = openIndex((name) => sqlite.table(name), Date.now, names);
  // No other process can have the directory open: whoever held these leases is gone.
  await Promise.all(names.map((name) => index.leases.releaseAll(name)));
  const ctx: Context = {
    fleet,
    queues: { push: sqlite.queue('push'), cluster: (name) => sqlite.queue(`cluster-${name}`) },
    index,
    blobs: await directoryBlobs(join(directory, 'blobs')),
    ...worker,
    seal: await createSeal(await openKey(open)),
    log,
    telemetry: createTelemetry(),
    now: Date.now,
    newId: () => sortableId(Date.now(), randomBytes(10)),
    random: Math.random,
    sleep: (ms, waiting) => delay(ms, undefined, waiting ? { signal: waiting } : {}),
    holder: `${hostname()}-${process.pid}-${randomBytes(4).toString('hex')}`,
    installation: await index.installation(() => randomBytes(8).toString('hex')),
    signal,
  };
  return {
    ctx,
    async close() {
      await close();
      await sqlite.close();
    },
  };
}
