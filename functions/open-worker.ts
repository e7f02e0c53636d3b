import { existsSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { enginePath } from '../infra/engine/location.ts';
import { createHttp } from '../lib/http.ts';
import { createNetworkPolicy } from '../lib/network.ts';
import { createRegistries } from '../lib/oci/registries.ts';
import type { Context } from '../lib/pipeline/context.ts';
import { createEngine } from '../lib/render/engine.ts';
import { openClusters } from './open-clusters.ts';
import type { OpenFleet } from './open-fleet.ts';
import { openRegistryLogins } from './open-registry-logins.ts';
import { openProviders, openSources } from './open-sources.ts';

/** What does the work, wherever jobs and state are kept: engine, sources, repositories, providers, registries, clusters. */
export interface Worker
  extends Pick<
    Context,
    | 'engine'
    | 'sources'
    | 'git'
    | 'providers'
    | 'registries'
    | 'registryLogins'
    | 'http'
    | 'cluster'
    | 'connect'
  > {
  close(): Promise<void>;
}

const MIB = 1024 * 1024;

/**
 * Opens what the work of this process needs.
 * @param directory for mirrors and temporary files; made when absent
 * @throws Error when the engine is not built
 */
export async function openWorker(open: OpenFleet, directory: string): Promise<Worker> {
  const { fleet } = open;
  const git = join(directory, 'git');
  await mkdir(git, { recursive: true, mode: 0o700 });
  const policy = createNetworkPolicy({ allow: fleet.network.allow });
  const { requestTimeout, renderTimeout } = fleet.limits;
  const http = createHttp({ policy, timeoutMs: requestTimeout, maxBytes: 10 * MIB, userAgent: 'slipway' });
  const registries = createRegistries({
    policy,
    timeoutMs: requestTimeout,
    userAgent: 'slipway',
    now: Date.now,
  });
  const registryLogins = openRegistryLogins(http);
  const clusters = openClusters(open, policy);
  const path = enginePath();
  if (!existsSync(path))
    throw new Error(`the render engine is not built (${path}); run "npm run build:engine"`);
  const engine = createEngine({ path, timeoutMs: renderTimeout });
  engine.warm();
  return {
    engine,
    ...openSources(fleet, policy, http, git),
    providers: openProviders(open, http),
    registries,
    registryLogins,
    http,
    cluster: (name) => clusters.cluster(name),
    connect: (kubeconfig, name) => clusters.connect(kubeconfig, name),
    async close() {
      await Promise.allSettled([
        engine.close(),
        clusters.close(),
        registries.close(),
        registryLogins.close(),
        http.close(),
      ]);
    },
  };
}
