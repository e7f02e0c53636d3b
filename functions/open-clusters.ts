import { messageOf } from '../lib/core/errors.ts';
import type { FleetCluster } from '../lib/fleet/cluster.ts';
import { clusterOf } from '../lib/fleet/fleet.ts';
import type { KubeClient } from '../lib/kube/client.ts';
import { createClusterNetwork } from '../lib/kube/cluster-network.ts';
import type { KubeConnection } from '../lib/kube/connection.ts';
import { loadKubeconfig } from '../lib/kube/kubeconfig.ts';
import { KubeconfigError } from '../lib/kube/kubeconfig-document.ts';
import { createKubeClient } from '../lib/kube/rest.ts';
import type { NetworkPolicy } from '../lib/network.ts';
import type { ClusterConnection } from '../lib/pipeline/context.ts';
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

/** How many connections of Secrets are kept open at most. */
const MAX_REMOTE = 100;

/** Opens clusters by the credentials of the fleet file. */
export function openClusters({ fleet, secret }: OpenFleet, network: NetworkPolicy): Clusters {
  const opened = new Map<string, Promise<ClusterConnection>>();
  const remote = new Map<string, KubeClient>();
  const aws = lazyAwsApi(fleet.aws?.region);
  // The operator wrote these addresses, so private networks and this machine are fine; link-local and metadata addresses never are.
  const ofFleet = createClusterNetwork({ loopback: true, otherwise: network });
  const connections = Math.max(32, fleet.limits.concurrency * 2);

  async function connectionOf(config: FleetCluster): Promise<KubeConnection> {
    const { name, eks, kubeconfig = '', context, allow } = config;
    if (eks !== undefined) {
      const { eksConnection } = await import('../lib/cloud/eks.ts');
      return eksConnection(await aws(), eks, Date.now).catch((error: unknown) => {
        throw new KubeconfigError(name, `the EKS cluster cannot be looked up: ${messageOf(error)}`);
      });
    }
    return loadKubeconfig(await secret(kubeconfig), {
      name,
      ...(context === undefined ? {} : { context }),
      allowExec: allow.exec,
      allowFiles: allow.files,
      allowInsecure: allow.insecure,
      execEnvironment: { HOME: process.env.HOME ?? '' },
    });
  }

  async function open(config: FleetCluster): Promise<ClusterConnection> {
    const connection = await connectionOf(config);
    // A token that was rotated holds as soon as the old one is refused.
    if (connection.token !== undefined)
      connection.tokenSource ??= async () => (await connectionOf(config)).token ?? '';
    return {
      config,
      client: createKubeClient(connection, {
        network: ofFleet,
        connections,
        timeout: fleet.limits.requestTimeout,
      }),
    };
  }

  return {
    cluster(name) {
      const config = clusterOf(fleet, name);
      if (!config) {
        const names = fleet.clusters.map((cluster) => cluster.name).join(', ') || 'none';
        return Promise.reject(new Error(`there is no cluster ${name} in ${fleet.path}; it has: ${names}`));
      }
      const connection = opened.get(name) ?? open(config);
      opened.set(name, connection);
      // A credential that could not be read may be there the next time.
      connection.catch(() => opened.delete(name));
      return connection;
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
      const connections = await Promise.allSettled(opened.values());
      const clients = connections.flatMap((result) =>
        result.status === 'fulfilled' ? [result.value.client] : [],
      );
      await Promise.all([...clients, ...remote.values()].map((client) => client.close()));
    },
  };
}
