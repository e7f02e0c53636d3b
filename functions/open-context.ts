import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { enginePath } from '../infra/engine/location.ts';
import { directoryBlobs } from '../lib/blobs/directory.ts';
import { sortableId } from '../lib/core/sortable-id.ts';
import { createHttp } from '../lib/http.ts';
import type { Log } from '../lib/log.ts';
import { createNetworkPolicy } from '../lib/network.ts';
import { createRegistries } from '../lib/oci/registries.ts';
import type { Context } from '../lib/pipeline/context.ts';
import { createEngine } from '../lib/render/engine.ts';
import { createSeal } from '../lib/secrets/seal.ts';
import { openSqlite } from '../lib/store/sqlite.ts';
import { createTelemetry } from '../lib/telemetry.ts';
import { openClusters } from './open-clusters.ts';
import type { OpenFleet } from './open-fleet.ts';
import { openIndex } from './open-index.ts';
import { openKey } from './open-key.ts';
import { openProviders, openSources } from './open-sources.ts';

/** A context on this machine: SQLite, a folder, the engine as child processes. */
export interface LocalContext {
  ctx: Context;
  close(): Promise<void>;
}

const MIB = 1024 * 1024;

/**
 * Opens everything that the pipeline needs, for one process on one machine.
 * @throws Error when another process uses the storage directory
 */
export async function openContext(open: OpenFleet, log: Log, signal: AbortSignal): Promise<LocalContext> {
  const { fleet } = open;
  const { directory } = fleet.storage;
  const sqlite = await openSqlite({ directory, now: Date.now });
  await mkdir(join(directory, 'git'), { recursive: true, mode: 0o700 });
  const policy = createNetworkPolicy({ allow: fleet.network.allow });
  const { requestTimeout, renderTimeout } = fleet.limits;
  const http = createHttp({ policy, timeoutMs: requestTimeout, maxBytes: 10 * MIB, userAgent: 'slipway' });
  const registries = createRegistries({
    policy,
    timeoutMs: requestTimeout,
    userAgent: 'slipway',
    now: Date.now,
  });
  const clusters = openClusters(open, policy);
  const path = enginePath();
  if (!existsSync(path))
    throw new Error(`the render engine is not built (${path}); run "npm run build:engine"`);
  const engine = createEngine({ path, timeoutMs: renderTimeout });
  engine.warm();
  const index = openIndex((name) => sqlite.table(name), Date.now);
  // No other process can have the directory open: whoever held these leases is gone.
  await Promise.all(fleet.clusters.map(({ name }) => index.leases.releaseAll(name)));
  const ctx: Context = {
    fleet,
    queues: { push: sqlite.queue('push'), cluster: (name) => sqlite.queue(`cluster-${name}`) },
    index,
    blobs: await directoryBlobs(join(directory, 'blobs')),
    engine,
    sources: openSources(fleet, policy, http, join(directory, 'git')),
    providers: openProviders(open, http),
    registries,
    cluster: (name) => clusters.cluster(name),
    connect: (kubeconfig, name) => clusters.connect(kubeconfig, name),
    http,
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
      await Promise.allSettled([engine.close(), clusters.close(), registries.close(), http.close()]);
      await sqlite.close();
    },
  };
}
