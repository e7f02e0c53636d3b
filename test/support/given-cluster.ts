import { readFile } from 'node:fs/promises';
import { parse } from 'yaml';
import { kubeRequest } from './kube-request.ts';
import type { KubernetesConnection } from './kubernetes.ts';

interface Kubeconfig {
  'current-context'?: string;
  contexts?: { name: string; context: { cluster: string; user: string } }[];
  clusters?: { name: string; cluster: Record<string, string> }[];
  users?: { name: string; user: Record<string, string> }[];
}

const marker = '/api/v1/namespaces/kube-system/configmaps/slipway-may-destroy';

/**
 * The cluster of a kubeconfig file (its current context), for running the tests on a cluster of one's own.
 * Refused unless the cluster carries the ConfigMap `kube-system/slipway-may-destroy`: the tests delete what they find.
 */
export async function givenCluster(file: string): Promise<KubernetesConnection> {
  const config = parse(await readFile(file, 'utf8')) as Kubeconfig;
  const context = config.contexts?.find((one) => one.name === config['current-context'])?.context;
  const cluster = config.clusters?.find((one) => one.name === context?.cluster)?.cluster;
  const token = config.users?.find((one) => one.name === context?.user)?.user.token;
  const authority = cluster?.['certificate-authority-data'];
  if (!cluster?.server || !authority || !token) {
    throw new Error(
      `${file}: the current context needs a server, certificate-authority-data, and a token of an administrator ` +
        '(kubectl create token makes one).',
    );
  }
  const server = cluster.server.replace(/\/$/, '');
  const connection = { server, caData: Buffer.from(authority, 'base64').toString(), token };
  const { status } = await kubeRequest(connection, 'GET', marker);
  if (status === 200) return connection;
  throw new Error(
    `The cluster of ${file} does not say that tests may destroy what is in it (answer ${status}). If they may, run: ` +
      `kubectl --kubeconfig ${file} -n kube-system create configmap slipway-may-destroy`,
  );
}
