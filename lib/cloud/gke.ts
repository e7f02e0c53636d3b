import type { Http } from '../http.ts';
import type { KubeConnection } from '../kube/connection.ts';
import { askCloud } from './ask-cloud.ts';
import { type Kept, tokensOf } from './kept.ts';
import { reasonOf } from './reason-of.ts';

/** A cluster of Google Kubernetes Engine, as the fleet file names it. */
export interface GkeCluster {
  project: string;
  /** Its region, or its zone. */
  location: string;
  name: string;
  /** Default: the address that GKE names first, the public one unless that is switched off. */
  endpoint?: 'private' | 'dns' | undefined;
}

/** What a cluster of the API says, as far as it is read. */
interface Description {
  status?: string;
  endpoint?: string;
  masterAuth?: { clusterCaCertificate?: string };
  privateClusterConfig?: { privateEndpoint?: string };
  controlPlaneEndpointsConfig?: {
    dnsEndpointConfig?: { endpoint?: string };
    ipEndpointsConfig?: { privateEndpoint?: string };
  };
}

/**
 * The connection to a cluster of GKE: its address and authority are looked up; the token that opens Google's API opens the cluster too.
 * @param tools.token of Google Cloud, of scope `cloud-platform`
 * @throws Error naming the cluster and what to do; HttpError
 * @see https://cloud.google.com/kubernetes-engine/docs/reference/rest/v1/projects.locations.clusters/get
 */
export async function gkeConnection(
  { http, token }: { http: Http; token: Kept<string> },
  cluster: GkeCluster,
): Promise<KubeConnection> {
  const { project, location, name } = cluster;
  const path = ['projects', project, 'locations', location, 'clusters', name]
    .map(encodeURIComponent)
    .join('/');
  const answer = await askCloud(http, token, { url: `https://container.googleapis.com/v1/${path}` });
  if (answer.status !== 200) throw new Error(adviceFor(answer.status, answer.text(), cluster));
  const found = JSON.parse(answer.text()) as Description;
  const address = addressOf(found, cluster);
  const ca = found.masterAuth?.clusterCaCertificate;
  if (!address || (!ca && cluster.endpoint !== 'dns')) {
    const wanted = cluster.endpoint === undefined ? '' : `${cluster.endpoint} `;
    throw new Error(
      `the GKE cluster ${name} has no ${wanted}address (status ${found.status ?? 'unknown'}); try again when it is running, or choose another one with gke.endpoint (private or dns)`,
    );
  }
  return {
    server: `https://${address}`,
    // Behind its DNS name stands a certificate that everybody trusts.
    ...(cluster.endpoint === 'dns' || !ca ? {} : { caData: Buffer.from(ca, 'base64').toString('utf8') }),
    tokenSource: tokensOf(token),
  };
}

function addressOf(found: Description, { endpoint }: GkeCluster): string | undefined {
  const { dnsEndpointConfig, ipEndpointsConfig } = found.controlPlaneEndpointsConfig ?? {};
  if (endpoint === 'dns') return dnsEndpointConfig?.endpoint;
  if (endpoint === 'private')
    return ipEndpointsConfig?.privateEndpoint ?? found.privateClusterConfig?.privateEndpoint;
  return found.endpoint;
}

function adviceFor(status: number, text: string, { project, location, name }: GkeCluster): string {
  const said = `container.googleapis.com answered ${status}${reasonOf(text)}`;
  if (status === 404)
    return `there is no GKE cluster ${name} in ${location} of project ${project}; look at gke in the fleet file (${said})`;
  if (status === 403)
    return `the identity lacks the right container.clusters.get in project ${project} (role roles/container.clusterViewer, or roles/container.developer to work in it as well), or the Kubernetes Engine API is not switched on there (${said})`;
  if (status === 401) return `Google Cloud does not accept the token of this identity (${said})`;
  return said;
}
