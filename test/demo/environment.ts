import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { giteaLocation, kubernetesLocation, registryLocation } from '../../infra/testservers/location.ts';
import { type Gitea, startGitea } from '../support/gitea.ts';
import type { GiteaRepository } from '../support/gitea-repository.ts';
import { type Kubernetes, startKubernetes } from '../support/kubernetes.ts';
import { freePort } from '../support/ports.ts';
import { type Registry, startRegistry } from '../support/registry.ts';
import { type ClusterName, clusterNames, fleetFiles } from './fleet-files.ts';
import { shop } from './shop-files.ts';
import { type Slipway, startSlipway } from './slipway-process.ts';
import type { Story } from './story.ts';
import { type AnsweredDelivery, tapWebhooks } from './webhook-tap.ts';

/** All that runs during the demo. */
export interface Environment {
  directory: string;
  clusters: Record<ClusterName, Kubernetes>;
  gitea: Gitea;
  repository: GiteaRepository;
  registry: Registry;
  /** Where webhooks are sent, and the secret that they are signed with, or bear. */
  webhooks: { port: number; url: string; secret: string };
}

/** Called at the end, the newest first, whatever happens. */
export type Cleanup = (work: () => Promise<void> | void) => void;

/** Starts two API servers, Gitea and a container registry, and creates the fleet repository. */
export async function startEnvironment(story: Story, cleanup: Cleanup): Promise<Environment> {
  const directory = await mkdtemp(join(tmpdir(), 'slipway-demo-'));
  cleanup(() => rm(directory, { recursive: true, force: true, maxRetries: 5 }));

  async function timed<T extends { stop(): Promise<void> }>(
    name: string,
    what: string,
    start: () => Promise<T>,
    url: (started: T) => string,
  ): Promise<T> {
    const began = performance.now();
    const started = await start();
    cleanup(() => started.stop());
    story.fact(name, `${what.padEnd(20)} ${url(started).padEnd(26)}`, seconds(performance.now() - began));
    return started;
  }

  const kubernetes = `Kubernetes ${kubernetesLocation().version.slice(1)}`;
  const startCluster = (name: ClusterName) =>
    timed(
      name,
      kubernetes,
      () => startKubernetes({ name, controllerManager: true }),
      (one) => one.server,
    );
  const port = await freePort();
  const webhooks = { port, url: `http://127.0.0.1:${port}`, secret: randomBytes(20).toString('hex') };
  const headers = { Authorization: `Bearer ${webhooks.secret}` };
  const notify = [{ url: `${webhooks.url}/webhooks/registry/distribution`, headers }];
  const [staging, production, gitea, registry] = await settled([
    startCluster('staging'),
    startCluster('production'),
    timed('gitea', `Gitea ${giteaLocation().version.slice(1)}`, startGitea, (one) => one.url),
    timed(
      'registry',
      `Distribution ${registryLocation().version.slice(1)}`,
      () => startRegistry({ notify }),
      (one) => one.url,
    ),
  ]);
  await registry.push(shop.image, shop.tag);
  const repository = await gitea.createRepository('fleet', { files: fleetFiles(registry.host) });
  story.fact('repository', `${'fleet'.padEnd(20)} ${repository.page}`);
  return { directory, clusters: { staging, production }, gitea, repository, registry, webhooks };
}

/** Like Promise.all, but waits for all of them before it fails, so that each one started is known to the clean-up. */
async function settled<T extends readonly unknown[]>(
  promises: { [K in keyof T]: Promise<T[K]> },
): Promise<T> {
  await Promise.allSettled(promises);
  return Promise.all(promises) as unknown as Promise<T>;
}

/** Starts Slipway on the fleet repository, and has webhooks sent to it. */
export async function startDelivery(
  environment: Environment,
  story: Story,
  cleanup: Cleanup,
  onDelivery: (delivery: AnsweredDelivery) => void,
): Promise<Slipway> {
  const { directory, gitea, repository, clusters, registry, webhooks } = environment;
  const kubeconfigs = Object.fromEntries(clusterNames.map((name) => [name, clusters[name].kubeconfig]));
  const began = performance.now();
  const slipway = await startSlipway({
    directory,
    gitea,
    repository: repository.url,
    clusters: kubeconfigs,
    registry: registry.host,
    webhookSecret: webhooks.secret,
  });
  cleanup(() => slipway.stop());
  story.fact(
    'slipway',
    `${'slipway serve'.padEnd(20)} ${slipway.url.padEnd(26)}`,
    seconds(performance.now() - began),
  );
  const tap = await tapWebhooks(webhooks.port, slipway.url, onDelivery);
  cleanup(() => tap.stop());
  await repository.createWebhook(`${webhooks.url}/webhooks/gitea`, webhooks.secret);
  return slipway;
}

/** ms as seconds, e.g. `1.2 s`. */
export function seconds(ms: number): string {
  return ms < 100 ? `${Math.round(ms)} ms` : `${(ms / 1000).toFixed(ms < 10_000 ? 2 : 1)} s`;
}
