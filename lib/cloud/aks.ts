import type { Http } from '../http.ts';
import type { KubeConnection } from '../kube/connection.ts';
import { loadKubeconfigServer } from '../kube/kubeconfig.ts';
import { askCloud } from './ask-cloud.ts';
import { type Kept, tokensOf } from './kept.ts';
import { reasonOf } from './reason-of.ts';

/** A cluster of Azure Kubernetes Service, as the fleet file names it. */
export interface AksCluster {
  subscription: string;
  resourceGroup: string;
  name: string;
  /** Reach a private cluster by its public name. Default: false. */
  publicName?: boolean | undefined;
}

/** The application that all clusters of AKS take tokens for. https://learn.microsoft.com/azure/aks/kubelogin-authentication */
const AKS = '6dae42f8-4368-4678-94ff-3960e28e3630';
const MANAGEMENT = 'https://management.azure.com';
const API_VERSION = '2024-02-01';

/**
 * The connection to a cluster of AKS that is integrated with Entra ID: its address and authority are looked up, tokens are those of Entra
 * ID. What the kubeconfig that Azure gives for it would run is never run.
 * @param tools.token gives tokens of Entra ID for a resource
 * @throws Error naming the cluster and what to do; KubeconfigError; HttpError
 * @see https://learn.microsoft.com/rest/api/aks/managed-clusters/list-cluster-user-credentials
 */
export async function aksConnection(
  { http, token }: { http: Http; token(resource: string): Kept<string> },
  cluster: AksCluster,
): Promise<KubeConnection> {
  const { subscription, resourceGroup, name, publicName } = cluster;
  const parts = [
    ...['subscriptions', subscription, 'resourceGroups', resourceGroup],
    ...['providers', 'Microsoft.ContainerService', 'managedClusters', name, 'listClusterUserCredential'],
  ];
  const url = new URL(parts.map(encodeURIComponent).join('/'), MANAGEMENT);
  url.searchParams.set('api-version', API_VERSION);
  url.searchParams.set('format', 'exec');
  if (publicName) url.searchParams.set('server-fqdn', 'public');
  const answer = await askCloud(http, token(MANAGEMENT), { method: 'POST', url });
  if (answer.status !== 200) throw new Error(adviceFor(answer.status, answer.text(), cluster));
  const { kubeconfigs } = JSON.parse(answer.text()) as { kubeconfigs?: { value?: string }[] };
  const text = Buffer.from(kubeconfigs?.[0]?.value ?? '', 'base64').toString('utf8');
  if (text === '')
    throw new Error(`Azure gave no kubeconfig of the AKS cluster ${name}; try again when it is running`);
  const { connection, hasCredential } = loadKubeconfigServer(text, { name });
  if (hasCredential)
    throw new Error(
      `the AKS cluster ${name} is not integrated with Microsoft Entra ID, so it takes no tokens of it; switch that on (az aks update --enable-aad), or give its kubeconfig instead of aks`,
    );
  return { ...connection, tokenSource: tokensOf(token(AKS)) };
}

function adviceFor(status: number, text: string, { subscription, resourceGroup, name }: AksCluster): string {
  const said = `management.azure.com answered ${status}${reasonOf(text)}`;
  if (status === 404)
    return `there is no AKS cluster ${name} in resource group ${resourceGroup} of subscription ${subscription}; look at aks in the fleet file (${said})`;
  if (status === 403)
    return `the identity lacks the right Microsoft.ContainerService/managedClusters/listClusterUserCredential/action on the AKS cluster ${name} (role Azure Kubernetes Service Cluster User Role) (${said})`;
  if (status === 401) return `Azure does not accept the token of this identity (${said})`;
  return said;
}
