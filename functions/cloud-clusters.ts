import { aksConnection } from '../lib/cloud/aks.ts';
import type { AwsApi } from '../lib/cloud/aws-api.ts';
import { azureToken } from '../lib/cloud/azure-token.ts';
import { eksConnection } from '../lib/cloud/eks.ts';
import { gkeConnection } from '../lib/cloud/gke.ts';
import { googleToken, type TokenTools } from '../lib/cloud/google-token.ts';
import { type Kept, keep } from '../lib/cloud/kept.ts';
import { messageOf } from '../lib/core/errors.ts';
import { type CloudWay, cloudWayOf } from '../lib/fleet/cloud-cluster.ts';
import type { FleetCluster } from '../lib/fleet/cluster.ts';
import type { KubeConnection } from '../lib/kube/connection.ts';
import { azureFromAws, azureIdentity, googleFederation, googleFromAws } from './cloud-identities.ts';

/** Looks up clusters by their name in a cloud. Tokens are kept and shared by clusters that are reached as the same identity. */
export interface CloudClusters {
  /** @throws Error saying what is wrong and what to do */
  connection(config: FleetCluster): Promise<KubeConnection>;
}

/** How long a token may take, in ms. */
const TOKEN_MS = 30_000;

/** Where the identity is to be named that this process does not have. */
const HINT = 'in the fleet file, or give this process a workload identity';

/** Opens the ways to clouds. */
export function openCloudClusters(tools: TokenTools, aws: () => Promise<AwsApi>): CloudClusters {
  const { http, now } = tools;
  const tokens = new Map<string, Kept<string>>();
  function token(key: unknown, ask: Parameters<typeof keep<string>>[0]): Kept<string> {
    const name = JSON.stringify(key);
    const known = tokens.get(name) ?? keep(ask, now);
    tokens.set(name, known);
    return known;
  }

  const ways = {
    eks: async ({ eks }) => eks && eksConnection(await aws(), eks, now),
    gke: async ({ gke }) => {
      const from = gke?.awsFederation;
      const ask = async () => {
        const federation = from ? googleFromAws(from, aws) : await googleFederation(aws);
        const asked = googleToken(tools, federation, AbortSignal.timeout(TOKEN_MS));
        return federation ? asked : asked.catch(hint('gke'));
      };
      return gke && gkeConnection({ http, token: token(['google', from], ask) }, gke);
    },
    aks: async ({ aks }) => {
      const from = aks?.awsFederation;
      const tokenFor = (resource: string) =>
        token(['azure', resource, from], () => {
          const identity = from ? azureFromAws(from, aws) : azureIdentity();
          const asked = azureToken(tools, identity, resource, AbortSignal.timeout(TOKEN_MS));
          return identity.federated ? asked : asked.catch(hint('aks'));
        });
      return aks && aksConnection({ http, token: tokenFor }, aks);
    },
  } satisfies Record<CloudWay, (config: FleetCluster) => Promise<KubeConnection | undefined>>;

  return {
    async connection(config) {
      const way = cloudWayOf(config);
      const connection = way && (await ways[way](config));
      if (!connection) throw new Error(`the cluster ${config.name} is not named in a cloud`);
      return connection;
    },
  };
}

function hint(way: string): (error: unknown) => never {
  return (error) => {
    throw new Error(`${messageOf(error)}; name awsFederation of ${way} ${HINT}`, { cause: error });
  };
}
