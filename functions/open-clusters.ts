import { messageOf } from '../lib/core/errors.ts';
import { cloudWayOf } from '../lib/fleet/cloud-cluster.ts';
import type { FleetCluster } from '../lib/fleet/cluster.ts';
import { clusterOf } from '../lib/fleet/fleet.ts';
import { createHttp, type Http } from '../lib/http.ts';
import type { KubeClient } from '../lib/kube/client.ts';
import { createClusterNetwork } from '../lib/kube/cluster-network.ts';
import type { KubeConnection } from '../lib/kube/connection.ts';
import { loadKubeconfig } from '../lib/kube/kubeconfig.ts';
import { KubeconfigError } from '../lib/kube/kubeconfig-document.ts';
import { createKubeClient } from '../lib/kube/rest.ts';
import type { NetworkPolicy } from '../lib/network.ts';
import type { ClusterConnection } from '../lib/pipeline/context.ts';
import type { CloudClusters } from './cloud-clusters.ts';
import { lazyAwsApi } from './open-aws-api.ts';
import type { OpenFleet } from './open-fleet.ts';

/** Connections to the clusters of a fleet file, opened when they are first asked for. */
export interface Clusters {
  /** @throws Error when the fleet file has no cluster of this name, or its kubeconfig cannot be used */
  cluster(name: string): Promise<ClusterConnection>;
  /** The API behind a kubeconfig that stands in a Secret: never a command, a file or an unchecked certificate. */
  connect(kubeconfig: string, name: string): KubeClient;
  close(): Promise<void>;
}

/** What the API of a cloud answers at most, in bytes. */
const MAX_ANSWER_BYTES = 10 * 1024 * 1024;

/** How long the address that a cloud has named is believed, in ms. */
const ADDRESS_MS = 15 * 60_000;

/** How many connections of Secrets are kept open at most. */
const MAX_REMOTE = 100;

/** A cluster as it was opened. */
interface Opened {
  connection: KubeConnection;
  cluster: ClusterConnection;
}

/**
 * Opens clusters by the credentials of the fleet file.
 * @param options.http reaches the APIs of clouds. Default: one of its own, under the network policy
 * @param options.now epoch in ms. Default: the clock
 */
export function openClusters(
  { fleet, secret }: OpenFleet,
  network: NetworkPolicy,
  options: { http?: Http; now?: () => number } = {},
): Clusters {
  const { now = Date.now } = options;
  const opened = new Map<string, { made: Promise<Opened>; until: number }>();
  const remote = new Map<string, KubeClient>();
  const aws = lazyAwsApi(fleet.aws?.region);
  // The operator wrote these addresses, so private networks and this machine are fine; link-local and metadata addresses never are.
  const ofFleet = createClusterNetwork({ loopback: true, otherwise: network });
  const connections = Math.max(32, fleet.limits.concurrency * 2);

  let cloudClusters: Promise<CloudClusters & Pick<Http, 'close'>> | undefined;
  function clouds() {
    cloudClusters ??= openClouds();
    return cloudClusters;
  }
  async function openClouds() {
    const [{ openCloudClusters }, { openTokenTools }] = await Promise.all([
      import('./cloud-clusters.ts'),
      import('./cloud-identities.ts'),
    ]);
    const { requestTimeout: timeoutMs } = fleet.limits;
    const http =
      options.http ??
      createHttp({ policy: network, timeoutMs, maxBytes: MAX_ANSWER_BYTES, userAgent: 'slipway' });
    const tools = openTokenTools(http, now);
    return {
      ...openCloudClusters(tools, aws),
      close: async () => void (await Promise.all([tools.close(), http.close()])),
    };
  }

  async function connectionOf(config: FleetCluster): Promise<KubeConnection> {
    const { name, kubeconfig = '', context, allow } = config;
    if (cloudWayOf(config) !== undefined)
      return (await clouds()).connection(config).catch(cannotLookUp(config));
    return loadKubeconfig(await secret(kubeconfig), {
      name,
      ...(context === undefined ? {} : { context }),
      allowExec: allow.exec,
      allowFiles: allow.files,
      allowInsecure: allow.insecure,
      execEnvironment: { HOME: process.env.HOME ?? '' },
    });
  }

  async function open(config: FleetCluster, found?: KubeConnection): Promise<Opened> {
    const connection = found ?? (await connectionOf(config));
    // A token that was rotated holds as soon as the old one is refused.
    if (connection.token !== undefined)
      connection.tokenSource ??= async () => (await connectionOf(config)).token ?? '';
    const client = createKubeClient(connection, {
      network: ofFleet,
      connections,
      timeout: fleet.limits.requestTimeout,
    });
    return { connection, cluster: { config, client } };
  }

  /** A cluster may have been made anew under its name, at another address. */
  async function lookAgain(config: FleetCluster, before: Opened): Promise<Opened> {
    // What was known goes on being used while the cloud does not answer.
    const found = await connectionOf(config).catch(() => before.connection);
    if (isSameServer(found, before.connection)) return before;
    void before.cluster.client.close();
    return open(config, found);
  }

  return {
    cluster(name) {
      const config = clusterOf(fleet, name);
      if (!config) {
        const names = fleet.clusters.map((cluster) => cluster.name).join(', ') || 'none';
        return Promise.reject(new Error(`there is no cluster ${name} in ${fleet.path}; it has: ${names}`));
      }
      const known = opened.get(name);
      if (known && now() < known.until) return known.made.then(({ cluster }) => cluster);
      const made = known ? known.made.then((before) => lookAgain(config, before)) : open(config);
      const until = cloudWayOf(config) === undefined ? Number.POSITIVE_INFINITY : now() + ADDRESS_MS;
      opened.set(name, { made, until });
      // A credential that could not be read may be there the next time.
      made.catch(() => opened.delete(name));
      return made.then(({ cluster }) => cluster);
    },
    connect(kubeconfig, name) {
      const known = remote.get(kubeconfig);
      if (known) return known;
      const [oldest] = remote;
      if (oldest && remote.size >= MAX_REMOTE) {
        remote.delete(oldest[0]);
        void oldest[1].close();
      }
      const client = createKubeClient(loadKubeconfig(kubeconfig, { name }), { network });
      remote.set(kubeconfig, client);
      return client;
    },
    async close() {
      const all = await Promise.allSettled([...opened.values()].map(({ made }) => made));
      const clients = all.flatMap((result) =>
        result.status === 'fulfilled' ? [result.value.cluster.client] : [],
      );
      const closing = [...clients, ...remote.values()].map((client) => client.close());
      await Promise.all([...closing, cloudClusters?.then((open) => open.close())]);
    },
  };
}

function cannotLookUp(config: FleetCluster): (error: unknown) => never {
  return (error) => {
    const cloud = cloudWayOf(config)?.toUpperCase();
    throw new KubeconfigError(config.name, `the ${cloud} cluster cannot be looked up: ${messageOf(error)}`);
  };
}

function isSameServer(one: KubeConnection, other: KubeConnection): boolean {
  return one.server === other.server && one.caData === other.caData;
}
